-- Uses: messages, pausing
-- Accept one prediction: bound the queue, write the queued record, push the message.
-- KEYS: queue, its hash of counts, record, and the idempotency key if one was given.
-- ARGV: record, message, id, its rows, most rows and most bytes the queue may hold,
--       and with an idempotency key: fingerprint of the payload, seconds to remember the key.
-- Returns the id that was accepted, now or before under the same key; or a refusal: { "full" } and,
-- if the drain rate is known, the seconds until there is capacity; { "conflict" } if the key came
-- with another payload; or that of a paused version, see refusal().
local queue, queued, record_key, idempotency_key = unpack(KEYS)
local record, message, id, rows_added, most_rows, most_bytes, fingerprint, remembered = unpack(ARGV)
local bytes_added = #message

-- First of all: a caller that repeats a submission gets its id, even if the queue is full by now,
-- or the version paused.
if idempotency_key then
  local before = redis.call('HMGET', idempotency_key, 'id', 'fingerprint')
  if before[1] then
    return before[2] == fingerprint and before[1] or { 'conflict' }
  end
end
if redis.call('EXISTS', record_key) == 1 then -- the same call, repeated
  return id
end
-- No other script admits submissions: what follows decides.
local version, entry, why, now
if redis.call('EXISTS', PAUSED) == 1 then
  version = version_of(message)
  entry, why = entry_of(version)
  if entry then
    now = clock()
    -- With no parked message that could be the probe, this submission becomes the probe.
    if not entry.probe_at or now < entry.probe_at or redis.call('EXISTS', PARKED .. version) == 1 then
      return refusal(entry, why, now)
    end
  end
end
local waiting = redis.call('LLEN', queue)
if waiting == 0 then -- a purge of the list leaves the counts behind
  -- Set, not delete: a script that deletes first may go on to write to a full Redis.
  redis.call('HSET', queued, 'rows', 0, 'bytes', 0)
end
local rows = redis.call('HINCRBY', queued, 'rows', rows_added)
local bytes = redis.call('HINCRBY', queued, 'bytes', bytes_added)
if rows > tonumber(most_rows) or bytes > tonumber(most_bytes) then
  redis.call('HINCRBY', queued, 'rows', 0 - rows_added)
  redis.call('HINCRBY', queued, 'bytes', 0 - bytes_added)
  local drain = redis.call('HMGET', queued, 'drained', 'busy', 'marked')
  if not drain[1] then return { 'full' } end
  local over = math.max(
    (rows - most_rows) / math.max(rows - rows_added, 1),
    (bytes - most_bytes) / math.max(bytes - bytes_added, 1)
  )
  -- Count the time since messages were last taken: the estimate grows while no worker takes any.
  local busy = drain[2] + math.max(clock() - drain[3], 0)
  return { 'full', math.ceil(waiting * math.min(over, 1) * busy / drain[1]) }
end
-- Its place among all messages that ever entered the queue; `taken` approaches it as others leave.
local number = (redis.call('HGET', queued, 'taken') or 0) + waiting + 1
redis.call('SET', record_key, string.sub(record, 1, -2) .. ',"number":' .. number .. '}')
if idempotency_key then
  redis.call('HSET', idempotency_key, 'id', id, 'fingerprint', fingerprint)
  redis.call('EXPIRE', idempotency_key, remembered)
end
redis.call('LPUSH', queue, message)
-- Last: a submission that is refused for the size of the queue must not become the probe.
if entry then send_probe(version, entry, id, now) end
return id
