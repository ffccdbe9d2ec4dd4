-- Uses: messages, tags, pausing, jobs.jobs
-- Resume a job that stopped, or whose messages were purged, at its first unsettled chunk.
-- ARGV: id.
-- Returns whether it goes on, also if an earlier call has resumed it.
local STOPPED = { failed = true, cancelling = true, cancelled = true, expired = true }
local state = redis.call('HMGET', job, 'status', 'chunks', 'failed')
local status = state[1]
local again = redis.call('HEXISTS', job, 'resumed')
if not status or ENDED[status] and not STOPPED[status] then return again end
if are_too_many(state[3]) then return 0 end -- it would stop again at once
-- After a purge of the queue, `flying` has steps without a message, for which the job would wait
-- without end.
local steps = redis.call('HKEYS', flying)
local lost = forget_lost(steps, waiting(steps))
if not STOPPED[status] and lost == 0 then return again end
redis.call('HDEL', job, 'error', 'busy', 'drained', 'settled_at',
  'running_at', 'finalizing_at', 'cancelling_at', 'ended_at') -- set again as the job goes on
redis.call('HSET', job, 'expires_at', stamp(clock() + JOB_TTL), 'resumed', 1)
-- In jobs of earlier releases, chunks before `next` may be missing: search them all, once.
if redis.call('HSETNX', job, 'revisits', 1) == 1 then redis.call('HSET', job, 'next', 0) end
if state[2] then
  enter('queued')
  finalize_or_go_on(true)
else
  enter('validating')
  if redis.call('HEXISTS', flying, 'validate') == 0 then push('validate') end
end
tell()
return 1
