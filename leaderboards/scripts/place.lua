-- Reads what rank a score would have that came now.
--
-- KEYS: order, entries, ready, and scores of a dense board. ARGV: the sort value.
-- Returns: nil when the board is not ready, else {players before that score, players of that score,
--          different scores before it (0 unless dense), players on the board}.

local order, _, ready, scores = unpack(KEYS)
local score = ARGV[1]

if redis.call('EXISTS', ready) == 0 then return false end
return {
  redis.call('ZCOUNT', order, '-inf', '(' .. score),
  redis.call('ZCOUNT', order, score, score),
  scores and redis.call('ZCOUNT', scores, '-inf', '(' .. score) or 0,
  redis.call('ZCARD', order),
}
