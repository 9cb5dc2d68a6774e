-- Ends a rebuild; the board is ready if it got through and nothing was lost meanwhile: the token goes with the board.
--
-- KEYS: ready, build. ARGV: the rebuild's token, the server's id ('' when the rebuild did not get through).
-- Returns: 1, or 0 when the rebuild lost its lease.

if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
if ARGV[2] ~= '' then redis.call('SET', KEYS[1], ARGV[2]) end
return 1
