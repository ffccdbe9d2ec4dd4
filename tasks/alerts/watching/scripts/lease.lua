-- Take a lease, or renew it.
-- KEYS: lease. ARGV: token of the holder, seconds.
-- Returns 1 if the lease is this holder's now.
local lease, token, seconds = KEYS[1], ARGV[1], ARGV[2]
local holder = redis.call('GET', lease)
if holder and holder ~= token then
  return 0
end
redis.call('SET', lease, token, 'EX', seconds)
return 1
