-- A step ends its job: its output is there, or something is wrong for good.
-- ARGV: id, step, tag, error (empty where there is none), when the step was begun.
-- Returns whether the job has completed, by this or before.
local step, tag = ARGV[2], ARGV[3]
if redis.call('ZSCORE', DUE, tag) then -- else another has taken it over
  drop(step, tag)
  local state = redis.call('HMGET', job, 'status', 'failed', 'queued_at', 'validating_at')
  if ARGV[4] == '' then
    if state[1] == 'finalizing' then
      enter(tonumber(state[2]) > 0 and 'completed_with_errors' or 'completed')
    end
  elseif state[1] and tonumber(ARGV[5]) >= tonumber(state[3] or state[4]) then
    fail(ARGV[4])
  elseif is_due(step) then -- the job was resumed since: what was wrong then may be mended
    push(step)
  end
  land()
  tell()
end
local status = redis.call('HGET', job, 'status')
return (status == 'completed' or status == 'completed_with_errors') and 1 or 0
