-- Forgets that a player left the board, as long as the entry that says so is the one seen.
--
-- KEYS: entries. ARGV: the player, the entry seen.
-- Returns: how many entries were forgotten.

if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
