-- Reads where a player stands, at one moment.
--
-- KEYS: order, entries, ready, and scores of a dense board. ARGV: the player.
-- Returns: nil when the board is not ready, {} when the player is not on it, else
--          {sort value, when it was reached (8 bytes), place from 0, players before that score, players of that score,
--           different scores before it (0 unless dense), players on the board}.

local order, entries, ready, scores = unpack(KEYS)
local player = ARGV[1]

if redis.call('EXISTS', ready) == 0 then return false end
local held = redis.call('HGET', entries, player)
if not held or #held ~= 16 then return {} end
local reached = string.sub(held, 9, 16)
local place = redis.call('ZRANK', order, reached .. player)
if not place then return {} end
local score = redis.call('ZSCORE', order, reached .. player)
return {
  score,
  reached,
  place,
  redis.call('ZCOUNT', order, '-inf', '(' .. score),
  redis.call('ZCOUNT', order, score, score),
  scores and redis.call('ZCOUNT', scores, '-inf', '(' .. score) or 0,
  redis.call('ZCARD', order),
}
