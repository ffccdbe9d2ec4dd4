-- A step ends its job: its output is there, or something is wrong for good.
-- ARGV: id, step, tag, error (empty where there is none), when the step was begun, and, without an
--       error, the fingerprint of the output.
-- Returns the status of the job, nothing where it is forgotten.
redis.call('ZREM', DUE, '') -- a full Redis lets a script finish that removes first
local step, tag = ARGV[2], ARGV[3]
if redis.call('ZSCORE', DUE, tag) then -- else another has taken it over
  drop(step, tag)
  revisit(step)
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
if status ~= 'completed' and status ~= 'completed_with_errors' then return status end
-- One that was frozen may have written it once more, of the same parts: the last one lies there.
if ARGV[6] ~= '' then redis.call('HSET', job, 'output', ARGV[6]) end
return status
