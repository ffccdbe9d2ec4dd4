-- Note that a computation starts.
-- KEYS: record, attempts.  ARGV: head of a queued record, head of a running one, id.
-- Returns the number of this attempt, or 0 when the prediction has its outcome already.
local record = redis.call('GET', KEYS[1])
if record then
  local queued, running = ARGV[1], ARGV[2]
  if string.sub(record, 1, #queued) == queued then
    redis.call('SET', KEYS[1], running .. string.sub(record, #queued + 1))
  elseif string.sub(record, 1, #running) ~= running then
    return 0
  end
end
return redis.call('HINCRBY', KEYS[2], ARGV[3], 1)
