-- Begins a rebuild, unless one runs.
--
-- KEYS: order, entries, ready, build, and scores of a dense board. ARGV: the rebuild's token, its lease in seconds, '1' to empty the board first.
-- Returns: 1, or 0 when another rebuild of the board runs.

if not redis.call('SET', KEYS[4], ARGV[1], 'NX', 'EX', ARGV[2]) then return 0 end
if ARGV[3] == '1' then
  -- Its memory is given back in the background: freeing a million entries here would hold everybody up.
  redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3])
  if KEYS[5] then redis.call('UNLINK', KEYS[5]) end
end
return 1
