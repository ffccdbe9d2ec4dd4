-- Accept one prediction: bound the queue, write the queued record, push the message.
-- KEYS: queue, record.  ARGV: record, message, most messages the queue may hold.
-- Returns "accepted", "full", or "known" when this id was accepted before (a retried call).
if redis.call('EXISTS', KEYS[2]) == 1 then
  return 'known'
end
if redis.call('LLEN', KEYS[1]) >= tonumber(ARGV[3]) then
  return 'full'
end
redis.call('SET', KEYS[2], ARGV[1])
redis.call('LPUSH', KEYS[1], ARGV[2])
return 'accepted'
