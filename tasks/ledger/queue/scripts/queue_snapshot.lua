-- Uses: messages, tags, flows
-- A snapshot of a queue: depth, drain rate and workers.
-- KEYS: queue, its hash of counts, reserved, last seen, descriptions, paused.
-- ARGV: seconds without a heartbeat after which a worker no longer counts.
-- Returns the messages of this queue that wait, that ever left, and that workers hold; messages a
-- second while others waited, as text, false if unknown; the id of the oldest message, false if
-- there is none; descriptions of the live workers; paused versions; the rows of what waits.
local queue, queued, reserved, seen, descriptions, paused = unpack(KEYS)
local silence = ARGV[1]
local now, workers = clock(), {}
-- In whole seconds, as heartbeat.lua stores them.
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', seen, math.floor(now) - silence, '+inf')) do
  workers[#workers + 1] = redis.call('HGET', descriptions, worker)
end
local noted, rate = redis.call('HMGET', queued, 'taken', 'left', 'marked', 'busy', 'drained', 'rows', 'flowing'), false
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
local taken = redis.call('HLEN', reserved)
if taken <= 1000 then
  taken = 0
  for _, tag in ipairs(redis.call('HKEYS', reserved)) do
    if queue_of_reservation(tag) == queue then taken = taken + 1 end
  end
end
-- Of our ids, the least is the oldest: they begin with their time.
local oldest
for _, list in ipairs(noted[7] and lists_in(queue, 50) or { queue }) do
  local message = redis.call('LINDEX', list, -1)
  local id = message and id_of(message)
  if id and (not oldest or id < oldest) then oldest = id end
end
return {
  redis.call('LLEN', queue) + (noted[7] or 0),
  tonumber(noted[1] or 0),
  taken,
  rate,
  oldest or false,
  workers,
  redis.call('HKEYS', paused),
  math.max(tonumber(noted[6] or 0), 0),
}
