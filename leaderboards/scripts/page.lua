-- Reads a page at one moment: from an offset, from behind a position, or around a player.
--
-- KEYS: order, entries, ready, and scores of a dense board.
-- ARGV: the page's size, then 'offset' and the number of places left out; or 'behind', a score and a member, whether or
--       not they are (still) there; or 'around' and a player, who may be on the board or not (then it is the end).
-- Returns: nil when the board is not ready, else {players on the board, place of the first row from 0,
--          number of players before the first row's score, number of different scores before it (0 unless dense),
--          {member, score, member, score, …}}.

local order, entries, ready, scores = unpack(KEYS)
local size, way = tonumber(ARGV[1]), ARGV[2]

if redis.call('EXISTS', ready) == 0 then return false end
local total = redis.call('ZCARD', order)

-- Numbers are compared, not strings: Lua compares those by the server's locale. Both are below 2^53, so exact.
local function comes_after(one, other)
  local reached, player = struct.unpack('>I8I8', one)
  local other_reached, other_player = struct.unpack('>I8I8', other)
  if reached ~= other_reached then return reached > other_reached end
  return player > other_player
end

-- Within a tie the set is in the order of the members' bytes, which is that of their numbers: halve it until found.
local function place_behind(score, member)
  local low = redis.call('ZCOUNT', order, '-inf', '(' .. score)
  local high = low + redis.call('ZCOUNT', order, score, score)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if comes_after(redis.call('ZRANGE', order, middle, middle)[1], member) then
      high = middle
    else
      low = middle + 1
    end
  end
  return low
end

local function place_around(player)
  local last = math.max(0, total - size)
  local held = redis.call('HGET', entries, player)
  if not held or #held ~= 16 then return last end
  local place = redis.call('ZRANK', order, string.sub(held, 9, 16) .. player)
  return math.min(last, math.max(0, place - math.floor((size - 1) / 2)))
end

local first
if way == 'offset' then
  first = tonumber(ARGV[3])
elseif way == 'behind' then
  first = place_behind(ARGV[3], ARGV[4])
else
  first = place_around(ARGV[3])
end

local rows = redis.call('ZRANGE', order, first, first + size - 1, 'WITHSCORES')
local before, scores_before = 0, 0
if rows[2] then
  before = redis.call('ZCOUNT', order, '-inf', '(' .. rows[2])
  if scores then scores_before = redis.call('ZCOUNT', scores, '-inf', '(' .. rows[2]) end
end
return {total, first, before, scores_before, rows}
