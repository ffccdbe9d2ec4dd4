-- Counts the bytes of the outcomes that Redis keeps for tenants. Needs messages.
-- They are counted by periods of a twelfth of the time to ttl, so that a period whose outcomes are
-- forgotten can be taken off the sum.
local PERIODS = 12

local function stored_key(tenant, ttl)
  return STORED .. ttl .. ':' .. tenant -- periods of another length have another key
end

-- Take off the periods whose outcomes are all forgotten; returns the bytes of the others, and the
-- oldest of these.
local function forget_periods(key, period)
  local fields, bytes, oldest = redis.call('HGETALL', key), 0, period
  for n = 1, #fields, 2 do
    local each = tonumber(fields[n]) -- nil for the sum
    if each and each < period - PERIODS then
      redis.call('HDEL', key, fields[n])
    elseif each then
      bytes, oldest = bytes + fields[n + 1], math.min(oldest, each)
    end
  end
  redis.call('HSET', key, 'bytes', bytes)
  return bytes, oldest
end

local function note_stored(tenant, bytes, ttl)
  local key, length = stored_key(tenant, ttl), ttl / PERIODS
  local period = math.floor(clock() / length)
  redis.call('HINCRBY', key, 'bytes', bytes)
  if redis.call('HINCRBY', key, period, bytes) == bytes then forget_periods(key, period) end
  redis.call('EXPIRE', key, math.ceil(ttl + length))
end
