-- Reads where several players stand, at one moment.
--
-- KEYS: order, entries, ready, and scores of a dense board (not looked at). ARGV: the players.
-- Returns: nil when the board is not ready, else {member, score, member, score, …} of those who are on the board.

local order, entries, ready = KEYS[1], KEYS[2], KEYS[3]

if redis.call('EXISTS', ready) == 0 then return false end
local found = {}
for at, held in ipairs(redis.call('HMGET', entries, unpack(ARGV))) do
  if held and #held == 16 then
    local member = string.sub(held, 9, 16) .. ARGV[at]
    local score = redis.call('ZSCORE', order, member)
    if score then
      found[#found + 1] = member
      found[#found + 1] = score
    end
  end
end
return found
