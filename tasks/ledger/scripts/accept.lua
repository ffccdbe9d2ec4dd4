-- Accept one prediction: bound the queue, write the queued record, push the message.
-- KEYS: queue, record, and the idempotency key if one was given.
-- ARGV: record, message, most messages the queue may hold, id,
--       and with an idempotency key: fingerprint of the payload, seconds to remember the key.
-- Returns the id that was accepted, now or before under the same key; or "full", or "conflict"
-- when the key came with another payload.
if KEYS[3] then
  local before = redis.call('HMGET', KEYS[3], 'id', 'fingerprint')
  if before[1] then
    return before[2] == ARGV[5] and before[1] or 'conflict'
  end
end
if redis.call('EXISTS', KEYS[2]) == 1 then -- the same call once more
  return ARGV[4]
end
if redis.call('LLEN', KEYS[1]) >= tonumber(ARGV[3]) then
  return 'full'
end
redis.call('SET', KEYS[2], ARGV[1])
if KEYS[3] then
  redis.call('HSET', KEYS[3], 'id', ARGV[4], 'fingerprint', ARGV[5])
  redis.call('EXPIRE', KEYS[3], ARGV[6])
end
redis.call('LPUSH', KEYS[1], ARGV[2])
return ARGV[4]
