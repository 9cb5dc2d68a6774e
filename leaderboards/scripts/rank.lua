-- Reads where a player stands, at one moment.
--
-- KEYS: order, entries, ready. ARGV: the player.
-- Returns: nil when the board is not ready, {} when the player is not on it, else
--          {score, players before that score, players of that score, players on the board}.

local order, entries, ready = unpack(KEYS)
local player = ARGV[1]

if redis.call('EXISTS', ready) == 0 then return false end
local held = redis.call('HGET', entries, player)
if not held or #held ~= 16 then return {} end
local score = redis.call('ZSCORE', order, string.sub(held, 9, 16) .. player)
return {
  score,
  redis.call('ZCOUNT', order, '-inf', '(' .. score),
  redis.call('ZCOUNT', order, score, score),
  redis.call('ZCARD', order),
}
