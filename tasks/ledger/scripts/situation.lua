-- What those who wait on a queue may know of it.
-- KEYS: queue, what waits on it, reserved, last seen, descriptions, paused.
-- ARGV: seconds of silence allowed to workers.
-- Returns messages of this queue that wait, that ever left, and that workers hold; messages a second
-- while there were always more, or '' where that is unknown; the id of the message that waits
-- longest, or ''; descriptions of the workers that live; versions that are paused.
local now, workers = redis.call('TIME'), {}
now = now[1] + now[2] / 1000000
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], math.floor(now) - ARGV[1], '+inf')) do
  workers[#workers + 1] = redis.call('HGET', KEYS[5], worker)
end
local noted, rate = redis.call('HMGET', KEYS[2], 'taken', 'left', 'marked', 'busy', 'drained'), ''
if noted[5] then
  local busy = tonumber(noted[4])
  if tonumber(noted[2] or 0) > 0 then busy = busy + math.max(now - noted[3], 0) end
  rate = string.format('%.17g', noted[5] / math.max(busy, 0.000001))
end
-- Another queue's are nobody's wait here, nor is what waits for another try: its tag, see
-- postpone.lua, has a 0 in front of its number. More than a thousand are too many to look at.
local held = redis.call('HLEN', KEYS[3])
if held <= 1000 then
  held = 0
  for _, tag in ipairs(redis.call('HKEYS', KEYS[3])) do
    if string.match(tag, '^(.*):[1-9]%d*$') == KEYS[1] then held = held + 1 end
  end
end
local oldest = redis.call('LINDEX', KEYS[1], -1)
return {
  redis.call('LLEN', KEYS[1]),
  tonumber(noted[1] or 0),
  held,
  rate,
  oldest and string.match(oldest, '"id":%s*"([^"]*)"') or '',
  workers,
  redis.call('HKEYS', KEYS[6]),
}
