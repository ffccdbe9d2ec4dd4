-- Uses: messages, pausing, jobs.jobs
-- Settle a chunk, once even if several attempts complete; push the next ones.
-- ARGV: id, chunk, tag, result, rows that succeeded, rows that failed, error for too many failures.
-- Returns the status of the job, nothing if it is deleted.
local n, now = ARGV[2], clock()
drop(n, ARGV[3])
local state = redis.call('HMGET', job, 'status', 'most_failures', 'settled_at', 'running_at', 'busy', 'drained')
local status = state[1]
-- HSETNX: a frozen worker and its successor may both settle a chunk; the rows count once.
if not status or redis.call('HSETNX', chunks, n, ARGV[4]) == 0 then return status end
redis.call('HINCRBY', job, 'succeeded', ARGV[5])
local failed = redis.call('HINCRBY', job, 'failed', ARGV[6])
-- The rate: rows, and the seconds that they took; both decay over half a minute.
local since = math.max(now - math.max(state[3] or 0, state[4] or now), 0)
local kept = math.max(1 - since / 30, 0.5)
redis.call('HSET', job, 'settled_at', stamp(now),
  'busy', stamp((state[5] or 0) * kept + since),
  'drained', stamp((state[6] or 0) * kept + ARGV[5] + ARGV[6]))
local most = tonumber(state[2])
if status == 'running' or status == 'queued' then
  if most >= 0 and failed > most then
    fail(ARGV[7])
  else
    finalize_or_go_on()
  end
end
land()
tell()
return redis.call('HGET', job, 'status')
