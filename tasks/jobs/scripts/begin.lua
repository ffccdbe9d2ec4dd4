-- Uses: messages, tags, pausing, attempts, webhooks.events, jobs.jobs
-- Start a step that a worker holds.
-- ARGV: id, step, tag.
-- Returns the number of this attempt, the job request, the facts (false before validation), and the
-- time; or nothing if there is nothing to do: another worker holds the step, or it is done, or the
-- job has ended.
local id, step, tag = unpack(ARGV)
use_job(id)
redis.call('ZREM', DUE, '') -- deleting first lets the script run on a full Redis
expire()
local due_at = redis.call('ZSCORE', DUE, tag)
if not (due_at and is_due(step)) then
  -- The message is still reserved here, but its step is settled, or its job has stopped: drop the
  -- message.
  if due_at then
    drop(step, tag)
    revisit(step)
    complete_cancellation()
    publish_change()
  end
  return
end
local state = redis.call('HMGET', job, 'status', 'order', 'facts', 'total', 'chunks')
if state[1] == 'queued' then set_status('running') end
-- Rows being computed: an estimate, as all chunks have about the same size.
local rows = tonumber(step) and math.ceil(state[4] / state[5]) or 0
redis.call('HSET', in_flight, step, rows)
-- Counted here, as steps do not go through start.lua.
local id = id_of_step(step)
local attempt = attempts_of(redis.call('HGET', ATTEMPTS, id)) + 1
redis.call('HSET', ATTEMPTS, id, started_attempts(attempt))
publish_change()
return { attempt, state[2], state[3], stamp(clock()) }
