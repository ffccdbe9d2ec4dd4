-- Uses: messages, tags, pausing, webhooks.events, jobs.jobs
-- Resume a job that stopped, or whose messages were purged, at its first unsettled chunk.
-- ARGV: id.
-- Returns whether it goes on, also if an earlier call has resumed it; or "searching", and then the
-- call is to be repeated.
use_job(ARGV[1])
local SLICE = 10000 -- chunks that one call looks at
local STOPPED = { failed = true, cancelling = true, cancelled = true, expired = true }
local state = redis.call('HMGET', job,
  'status', 'chunks', 'failed', 'next', 'revisits', 'searched')
local status = state[1]
local again = redis.call('HEXISTS', job, 'resumed')
if not status or ENDED[status] and not STOPPED[status] then return again end
if are_too_many(state[3]) then return 0 end -- it would stop again at once
-- In jobs of earlier releases, chunks before `next` may be missing: look for them, once.
local next = tonumber(state[4])
if next and not state[5] then
  local first = tonumber(state[6] or 0)
  local last = math.min(first + SLICE, next)
  redis.call('ZREM', DUE, '') -- deleting first lets the script run on a full Redis
  for n = first, last - 1 do
    if redis.call('HEXISTS', chunks, n) == 0 then revisit(n) end
  end
  redis.call('HSET', job, last == next and 'revisits' or 'searched', last)
  if last < next then return 'searching' end
end
-- After a purge of the queue, `in_flight` has steps without a message, for which the job would
-- wait without end.
local steps = redis.call('HKEYS', in_flight)
local lost = drop_lost(steps, positions_of(steps))
if not STOPPED[status] and lost == 0 then return again end
redis.call('HDEL', job, 'error', 'busy', 'drained', 'settled_at',
  'running_at', 'finalizing_at', 'cancelling_at', 'ended_at') -- set again as the job goes on
redis.call('HSET', job, 'expires_at', stamp(clock() + JOB_TTL), 'resumed', 1)
if state[2] then
  set_status('queued')
  finalize_or_go_on(true)
else
  set_status('validating')
  if redis.call('HEXISTS', in_flight, 'validate') == 0 then push('validate') end
end
publish_change()
return 1
