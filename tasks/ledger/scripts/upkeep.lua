-- Keep what this worker holds, and give back what nobody kept: the work of the dead. Let a probe
-- through of each version whose pause is over. Bring home what a producer gave a priority.
-- KEYS: reserved, due; and if the queue's are to come home: queue, its lists of other priorities.
-- ARGV: seconds until what is held goes back, tags held.
-- Returns how many messages went back to their queues' consuming end.
local OVER = { succeeded = true, failed = true, cancelled = true, expired = true }
local now, returned = clock(), 0
redis.call('ZREM', KEYS[2], '') -- a full Redis lets a script finish that removes first
for i = 2, #ARGV do
  redis.call('ZADD', KEYS[2], 'XX', now + ARGV[1], ARGV[i])
end
for _, tag in ipairs(redis.call('ZREVRANGEBYSCORE', KEYS[2], now, '-inf', 'LIMIT', 0, 1000)) do
  local message = redis.call('HGET', KEYS[1], tag)
  redis.call('ZREM', KEYS[2], tag)
  redis.call('HDEL', KEYS[1], tag)
  if message then
    give_back(string.match(tag, '^(.*):%d+$'), message)
    returned = returned + 1
  end
end
local left = 1000
for i = 4, #KEYS do
  while left > 0 and redis.call('RPOPLPUSH', KEYS[i], KEYS[3]) do left = left - 1 end
end
-- What has its outcome already, or had it long ago, proves nothing.
local function is_over(id)
  local state = id and state_of(RECORD .. id)
  return OVER[state or ''] or (id and not state and is_gone(id, now, RESULT_TTL))
end
local function next_parked(version) -- of so many; the next upkeep looks further
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
