-- Puts players where changes say, or takes them off, unless the board knows newer of them already.
--
-- KEYS: order, entries, ready, build, and scores of a dense board.
-- ARGV: a rebuild's token ('' for a listener), its lease in seconds, changes of 32 bytes each: player, version,
--       reached, sort value (the least there is: taken off), big-endian, every player once (leaderboards/filling.py).
--       No changes: the lease is renewed.
-- Returns: 1 when the board is ready, 0 when it is not, -1 when the rebuild lost its lease (nothing was written).

local order, entries, ready, build, scores = unpack(KEYS)
local token, lease, changes = unpack(ARGV)

if token ~= '' then
  if redis.call('GET', build) ~= token then return -1 end
  redis.call('EXPIRE', build, lease)
end

if changes == '' then return redis.call('EXISTS', ready) end
local players = {}
for at = 1, #changes, 32 do
  players[#players + 1] = string.sub(changes, at, at + 7)
end
local known = redis.call('HMGET', entries, unpack(players))

local OFF = -9223372036854775808
local gone, placed, noted, added = {}, {}, {}, {}
for i, player in ipairs(players) do
  local at, held = i * 32 - 31, known[i]
  local version, _, sort_value = struct.unpack('>I8I8i8', changes, at + 8)
  -- An equal version is applied again: it says the same, and mends what was lost of it.
  if not held or version >= (struct.unpack('>I8', held)) then
    local member = sort_value > OFF and string.sub(changes, at + 16, at + 23) .. player or nil
    local before = held and #held == 16 and string.sub(held, 9, 16) .. player or nil
    if before and before ~= member then gone[#gone + 1] = before end
    noted[#noted + 1] = player
    if member then
      placed[#placed + 1] = sort_value
      placed[#placed + 1] = member
      added[#added + 1] = sort_value
      added[#added + 1] = string.sub(changes, at + 24, at + 31)
      noted[#noted + 1] = string.sub(changes, at + 8, at + 23)
    else
      noted[#noted + 1] = string.sub(changes, at + 8, at + 15)
    end
  end
end

-- What scores the members have that go, or move while their member stays: some of those may be nobody's afterwards.
local left = {}
if scores and #known > 0 then
  local before = {}
  for i, held in ipairs(known) do
    if held and #held == 16 then before[#before + 1] = string.sub(held, 9, 16) .. players[i] end
  end
  if #before > 0 then left = redis.call('ZMSCORE', order, unpack(before)) end
end
if #gone > 0 then redis.call('ZREM', order, unpack(gone)) end
if #placed > 0 then redis.call('ZADD', order, unpack(placed)) end
if scores then
  if #added > 0 then redis.call('ZADD', scores, unpack(added)) end
  for _, score in ipairs(left) do
    if score and redis.call('ZCOUNT', order, score, score) == 0 then
      redis.call('ZREMRANGEBYSCORE', scores, score, score)
    end
  end
end
if #noted > 0 then redis.call('HSET', entries, unpack(noted)) end
return redis.call('EXISTS', ready)
