-- Uses: messages, pausing
-- Accept one prediction: bound the queue, write the queued record, push the message.
-- KEYS: queue, its hash of counts, record, and the idempotency key if one was given.
-- ARGV: record, message, id, its rows, most rows and most bytes the queue may hold,
--       and with an idempotency key: fingerprint of the payload, seconds to remember the key.
-- Returns the id that was accepted, now or before under the same key; or "full" and, if the drain
-- rate is known, the seconds until there is capacity; or "conflict" if the key came with another
-- payload; or, if the version is paused, "paused", the seconds until the next probe, and the pause.

-- First of all: a caller that repeats a submission gets its id, even if the queue is full by now,
-- or the version paused.
if KEYS[4] then
  local before = redis.call('HMGET', KEYS[4], 'id', 'fingerprint')
  if before[1] then
    return before[2] == ARGV[7] and before[1] or 'conflict'
  end
end
if redis.call('EXISTS', KEYS[3]) == 1 then -- the same call, repeated
  return ARGV[3]
end
-- No other script admits submissions: what follows decides.
local version, entry, why, now
if redis.call('EXISTS', PAUSED) == 1 then
  version = version_of(ARGV[2])
  entry, why = entry_of(version)
  if entry then
    now = clock()
    -- With no parked message that could be the probe, this submission becomes the probe.
    if not entry.probe_at or now < entry.probe_at or redis.call('EXISTS', PARKED .. version) == 1 then
      return refusal(entry, why, now)
    end
  end
end
local waiting = redis.call('LLEN', KEYS[1])
if waiting == 0 then -- a purge of the list leaves the counts behind
  -- Set, not delete: a script that deletes first may go on to write to a full Redis.
  redis.call('HSET', KEYS[2], 'rows', 0, 'bytes', 0)
end
local rows = redis.call('HINCRBY', KEYS[2], 'rows', ARGV[4])
local bytes = redis.call('HINCRBY', KEYS[2], 'bytes', #ARGV[2])
if rows > tonumber(ARGV[5]) or bytes > tonumber(ARGV[6]) then
  redis.call('HINCRBY', KEYS[2], 'rows', 0 - ARGV[4])
  redis.call('HINCRBY', KEYS[2], 'bytes', 0 - #ARGV[2])
  local drain = redis.call('HMGET', KEYS[2], 'drained', 'busy', 'marked')
  if not drain[1] then return 'full' end
  local over = math.max(
    (rows - ARGV[5]) / math.max(rows - ARGV[4], 1),
    (bytes - ARGV[6]) / math.max(bytes - #ARGV[2], 1)
  )
  -- Count the time since messages were last taken: the estimate grows while no worker takes any.
  local busy = drain[2] + math.max(clock() - drain[3], 0)
  return 'full ' .. math.ceil(waiting * math.min(over, 1) * busy / drain[1])
end
-- Its place among all messages that ever entered the queue; `taken` approaches it as others leave.
local number = (redis.call('HGET', KEYS[2], 'taken') or 0) + waiting + 1
redis.call('SET', KEYS[3], string.sub(ARGV[1], 1, -2) .. ',"number":' .. number .. '}')
if KEYS[4] then
  redis.call('HSET', KEYS[4], 'id', ARGV[3], 'fingerprint', ARGV[7])
  redis.call('EXPIRE', KEYS[4], ARGV[8])
end
redis.call('LPUSH', KEYS[1], ARGV[2])
-- Last: a submission that is refused for the size of the queue must not become the probe.
if entry then send_probe(version, entry, ARGV[3], now) end
return ARGV[3]
