-- Shared by scripts that accept predictions of keys with a limit of those in flight, or write
-- outcomes. Needs messages.
local DAY = 86400

local function hold(key, id)
  redis.call('HSET', IN_FLIGHT, id, key)
  redis.call('ZADD', IN_FLIGHT_OF .. key, clock(), id)
end

-- A prediction has its outcome, so it is no longer in flight.
local has_held
local function let_go(id)
  if has_held == nil then has_held = redis.call('EXISTS', IN_FLIGHT) == 1 end
  local key = has_held and redis.call('HGET', IN_FLIGHT, id)
  if key then
    redis.call('HDEL', IN_FLIGHT, id)
    redis.call('ZREM', IN_FLIGHT_OF .. key, id)
  end
end

-- How many predictions of a key are in flight. If that is the limit, look at the oldest ones: a worker
-- of an earlier release tells of no outcome, and a purge leaves records open for ever, so that
-- after a day they no longer count.
local function many_in_flight(key, limit)
  local many = redis.call('ZCARD', IN_FLIGHT_OF .. key)
  if many < limit then return many end
  local oldest = redis.call('ZRANGE', IN_FLIGHT_OF .. key, 0, 19, 'WITHSCORES')
  for n = 1, #oldest, 2 do
    local state = state_of(RECORD .. oldest[n])
    local is_open = state == 'queued' or state == 'running' or state == 'retrying'
    if not is_open or oldest[n + 1] + DAY < clock() then
      let_go(oldest[n])
      many = many - 1
    end
  end
  return many
end
