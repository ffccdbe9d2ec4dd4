-- Uses: tags
-- A snapshot of a queue: depth, drain rate and workers.
-- KEYS: queue, its hash of counts, reserved, last seen, descriptions, paused.
-- ARGV: seconds without a heartbeat after which a worker no longer counts.
-- Returns the messages of this queue that wait, that ever left, and that workers hold; messages a
-- second while others waited, or '' if unknown; the id of the oldest message, or ''; descriptions
-- of the live workers; paused versions.
local now, workers = redis.call('TIME'), {}
now = now[1] + now[2] / 1000000
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], math.floor(now) - ARGV[1], '+inf')) do
  workers[#workers + 1] = redis.call('HGET', KEYS[5], worker)
end
local noted, rate = redis.call('HMGET', KEYS[2], 'taken', 'left', 'marked', 'busy', 'drained'), ''
if noted[5] then
  local busy = tonumber(noted[4])
  -- While others wait, the time since messages were last taken counts: the rate falls if no worker
  -- takes any.
  if tonumber(noted[2] or 0) > 0 then busy = busy + math.max(now - noted[3], 0) end
  -- As text: Redis cuts the fraction off a number that a script returns.
  rate = string.format('%.17g', noted[5] / math.max(busy, 0.000001))
end
-- Leave out other queues' messages and those that wait for a retry. More than a thousand are too
-- many to look at.
local held = redis.call('HLEN', KEYS[3])
if held <= 1000 then
  held = 0
  for _, tag in ipairs(redis.call('HKEYS', KEYS[3])) do
    if queue_of_held_tag(tag) == KEYS[1] then held = held + 1 end
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
