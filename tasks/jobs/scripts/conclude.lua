-- Uses: messages, tags, pausing, webhooks.events, jobs.jobs
-- A step ends its job: the output is written, or an error is final.
-- ARGV: id, step, tag, error (empty for none), when the step was started, and, without an error,
--       the fingerprint of the output.
-- Returns the status of the job, nothing if it is deleted.
local id, step, tag, error, started_at, output = unpack(ARGV)
use_job(id)
error, output = optional(error), optional(output)
redis.call('ZREM', DUE, '') -- deleting first lets the script run on a full Redis
if redis.call('ZSCORE', DUE, tag) then -- else another worker has taken it over
  drop(step, tag)
  revisit(step)
  local state = redis.call('HMGET', job, 'status', 'failed', 'queued_at', 'validating_at')
  if not error then
    if state[1] == 'finalizing' then
      set_status(tonumber(state[2]) > 0 and 'completed_with_errors' or 'completed')
    end
  elseif state[1] and tonumber(started_at) >= tonumber(state[3] or state[4]) then
    fail(error)
  elseif is_due(step) then -- the job was resumed since then, so the error may be outdated
    push(step)
  end
  complete_cancellation()
  publish_change()
end
local status = redis.call('HGET', job, 'status')
if status ~= 'completed' and status ~= 'completed_with_errors' then return status end
-- A worker that froze may write the same parts once more; note the fingerprint of the last file.
if output then redis.call('HSET', job, 'output', output) end
return status
