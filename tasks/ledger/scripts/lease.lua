-- Take a lease, or renew it.
-- KEYS: lease. ARGV: token of the holder, seconds.
-- Returns 1 if the lease is this holder's now.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
