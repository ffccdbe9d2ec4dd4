-- Shared by scripts of deliverers: when an origin is looked at again. A library, behind events.lua.
local function first_of(set)
  return tonumber(redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')[2])
end

-- Once an event is due, unless as many as may be are being sent; and once a deliverer that has died
-- holds one no longer.
local function look_again(origin)
  local sending = WEBHOOK_SENDING .. origin
  local is_busy = redis.call('ZCARD', sending) >= MOST_SENDING
  local due, released = not is_busy and first_of(WEBHOOK_DUE .. origin), first_of(sending)
  local at = due and released and math.min(due, released) or due or released
  if at then
    redis.call('ZADD', WEBHOOK_ORIGINS, string.format('%.6f', at), origin)
  else
    redis.call('ZREM', WEBHOOK_ORIGINS, origin)
  end
end
