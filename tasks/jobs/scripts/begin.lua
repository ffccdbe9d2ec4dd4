-- A worker begins with a step that it holds.
-- ARGV: id, step, tag, rows of the step.
-- Returns the number of this attempt, the order, and what validation found; or 0 where there is
-- nothing to do: another holds it, or it is done, or the job has ended.
redis.call('ZREM', DUE, '') -- a full Redis lets a script finish that removes first
local step, tag = ARGV[2], ARGV[3]
local held = redis.call('ZSCORE', DUE, tag)
local state = redis.call('HMGET', job, 'status', 'order', 'facts', 'expires_at')
local status = state[1]
if status and not ENDED[status] and tonumber(state[4]) < clock() then
  enter('expired')
  ground()
  status = 'expired'
  tell()
end
local wanted = ({ validate = 'validating', finalize = 'finalizing' })[step]
local due = wanted == status
if not wanted then
  due = (status == 'queued' or status == 'running') and redis.call('HEXISTS', chunks, step) == 0
end
if not (held and due) then
  if held then
    drop(step, tag)
    land()
    tell()
  end
  return { 0 }
end
if status == 'queued' then enter('running') end
redis.call('HSET', flying, step, ARGV[4])
local id = ARGV[1] .. '.' .. step
local attempt = math.floor(math.abs(redis.call('HGET', ATTEMPTS, id) or 0)) + 1 -- see postpone.lua
redis.call('HSET', ATTEMPTS, id, attempt)
tell()
return { attempt, state[2], state[3] or '' }
