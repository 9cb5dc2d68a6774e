-- Takes a member off the board, and its player's entry if that means this member, as long as the entry is the one seen.
--
-- KEYS: order, entries. ARGV: the member, the entry seen ('' for none).
-- Returns: how many members were taken off.

local player = string.sub(ARGV[1], 9)
local held = redis.call('HGET', KEYS[2], player) or ''
if held ~= ARGV[2] then return 0 end
if string.sub(held, 9) == string.sub(ARGV[1], 1, 8) then redis.call('HDEL', KEYS[2], player) end
return redis.call('ZREM', KEYS[1], ARGV[1])
