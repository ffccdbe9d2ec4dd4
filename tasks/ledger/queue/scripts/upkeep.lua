-- Uses: messages, tags, pausing, in_flight, outcomes, ledger.tenants.storing, reuse, flows, turns
-- Extend the reservations of this worker, and return expired reservations: those of killed workers. Send a
-- probe for each paused version that is due. Move messages of other priorities to their queue. Let
-- predictions that joined a leader long ago be computed themselves: it may have been purged. Move
-- messages of flows to the queue's own list if that is empty: a worker of an earlier release takes
-- from this list alone, and a purge empties it.
-- KEYS: reserved, due; and, to move messages: queue, its lists of other priorities.
-- ARGV: seconds until the reservations end, tags of this worker.
-- Returns how many messages went back to the consuming end of their queues.
local reserved, due, queue = unpack(KEYS, 1, 3)
local timeout, many_reserved = ARGV[1], #ARGV - 1
local function reserved_at(i) return ARGV[1 + i] end
local many_lists = #KEYS - 3
local function list_at(i) return KEYS[3 + i] end
local OVER = { succeeded = true, failed = true, cancelled = true, expired = true }
local now, returned = clock(), 0
redis.call('ZREM', due, '') -- deleting first lets the script run on a full Redis
for i = 1, many_reserved do
  -- XX: a reservation that has ended stays ended, since another worker may hold the message by now.
  redis.call('ZADD', due, 'XX', now + timeout, reserved_at(i))
end
-- The oldest comes last: what is given back last is taken first.
for _, tag in ipairs(redis.call('ZREVRANGEBYSCORE', due, now, '-inf', 'LIMIT', 0, 1000)) do
  local message = redis.call('HGET', reserved, tag)
  redis.call('ZREM', due, tag)
  redis.call('HDEL', reserved, tag)
  if message then
    give_back(queue_of_tag(tag), message)
    returned = returned + 1
  end
end
local left = 1000
for i = 1, many_lists do
  -- Kombu puts messages with a priority on lists of their own, which `reserve` does not read.
  while left > 0 and redis.call('RPOPLPUSH', list_at(i), queue) do left = left - 1 end
end
-- A message with an outcome, even a forgotten one, is no probe: it would not be computed.
local function is_over(id)
  local state = id and state_of(RECORD .. id)
  return OVER[state or ''] or (id and not state and is_gone(id, now, RESULT_TTL))
end
if queue and redis.call('LLEN', queue) == 0 and flowing(queue) > 0 then
  turns_of(queue, 0).finish(MOVED_FLOWS)
end
local function next_parked(version) -- at most 1000 at a time; the next upkeep goes on
  for _ = 1, 1000 do
    local message = redis.call('RPOP', PARKED .. version)
    if not message or not is_over(id_of(message)) then return message end
  end
end
-- Pauses have no process of their own: any worker's upkeep moves them on.
unpark_more()
if redis.call('EXISTS', PAUSED) == 1 then
  for _, version in ipairs(redis.call('HKEYS', PAUSED)) do
    local entry = entry_of(version)
    local message = entry.probe_at and now >= entry.probe_at and next_parked(version)
    if message then
      give_back(queue_of(message), message)
      send_probe(version, entry, id_of(message), now)
    end
  end
end
for _, leader in ipairs(redis.call('ZRANGEBYSCORE', LEADERS, '-inf', now - MAX_JOINED_SECONDS, 'LIMIT', 0, 10)) do
  reuse_functions(RESULT_TTL).release(leader)
end
return returned
