-- Uses: messages, tags, pausing
-- Extend what this worker holds, and return expired reservations: those of killed workers. Send a
-- probe for each paused version that is due. Move messages of other priorities to their queue.
-- KEYS: reserved, due; and, to move messages: queue, its lists of other priorities.
-- ARGV: seconds until the reservations end, tags held.
-- Returns how many messages went back to the consuming end of their queues.
local OVER = { succeeded = true, failed = true, cancelled = true, expired = true }
local now, returned = clock(), 0
redis.call('ZREM', KEYS[2], '') -- deleting first lets the script run on a full Redis
for i = 2, #ARGV do
  -- XX: a reservation that has ended stays ended, since another worker may hold the message by now.
  redis.call('ZADD', KEYS[2], 'XX', now + ARGV[1], ARGV[i])
end
-- The oldest comes last: what is given back last is taken first.
for _, tag in ipairs(redis.call('ZREVRANGEBYSCORE', KEYS[2], now, '-inf', 'LIMIT', 0, 1000)) do
  local message = redis.call('HGET', KEYS[1], tag)
  redis.call('ZREM', KEYS[2], tag)
  redis.call('HDEL', KEYS[1], tag)
  if message then
    give_back(queue_of_tag(tag), message)
    returned = returned + 1
  end
end
local left = 1000
for i = 4, #KEYS do
  -- Kombu puts messages with a priority on lists of their own, which `reserve` does not read.
  while left > 0 and redis.call('RPOPLPUSH', KEYS[i], KEYS[3]) do left = left - 1 end
end
-- A message with an outcome, even a forgotten one, is no probe: it would not be computed.
local function is_over(id)
  local state = id and state_of(RECORD .. id)
  return OVER[state or ''] or (id and not state and is_gone(id, now, RESULT_TTL))
end
local function next_parked(version) -- at most 1000 at a time; the next upkeep goes on
  for _ = 1, 1000 do
    local message = redis.call('RPOP', PARKED .. version)
    if not message or not is_over(id_of(message)) then return message end
  end
end
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
return returned
