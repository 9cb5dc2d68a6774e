-- Takes a member off the board, and its player's entry if that means this member, as long as the entry is the one seen.
--
-- KEYS: order, entries, and scores of a dense board. ARGV: the member, the entry seen ('' for none).
-- Returns: how many members were taken off.

local player = string.sub(ARGV[1], 9)
local held = redis.call('HGET', KEYS[2], player) or ''
if held ~= ARGV[2] then return 0 end
if string.sub(held, 9) == string.sub(ARGV[1], 1, 8) then redis.call('HDEL', KEYS[2], player) end
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
local removed = redis.call('ZREM', KEYS[1], ARGV[1])
if KEYS[3] and score and redis.call('ZCOUNT', KEYS[1], score, score) == 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[3], score, score)
end
return removed
