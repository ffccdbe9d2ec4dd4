-- Uses: messages, tags, pausing, webhooks.events, jobs.jobs
-- Settle a chunk, once even if several attempts complete; push the next ones.
-- ARGV: id, chunk, tag, result, rows that succeeded, rows that failed, error for too many failures.
-- Returns the status of the job, nothing if it is deleted.
local id, n, tag, result, succeeded, failed, error = unpack(ARGV)
use_job(id)
local now = clock()
drop(n, tag)
local state = redis.call('HMGET', job, 'status', 'settled_at', 'running_at', 'busy', 'drained')
local status = state[1]
-- HSETNX: a frozen worker and its successor may both settle a chunk; the rows count once.
if not status or redis.call('HSETNX', chunks, n, result) == 0 then return status end
redis.call('HINCRBY', job, 'succeeded', succeeded)
local failed_so_far = redis.call('HINCRBY', job, 'failed', failed)
-- The rate: rows, and the seconds that they took; both decay over half a minute.
local since = math.max(now - math.max(state[2] or 0, state[3] or now), 0)
local kept = math.max(1 - since / 30, 0.5)
redis.call('HSET', job, 'settled_at', stamp(now),
  'busy', stamp((state[4] or 0) * kept + since),
  'drained', stamp((state[5] or 0) * kept + succeeded + failed))
-- In other states no chunk follows: the job was cancelled, or failed by another chunk.
if status == 'running' or status == 'queued' then
  if are_too_many(failed_so_far) then
    fail(error)
  else
    finalize_or_go_on()
  end
end
complete_cancellation()
publish_change()
return redis.call('HGET', job, 'status')
