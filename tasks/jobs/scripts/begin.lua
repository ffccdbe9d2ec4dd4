-- A worker begins with a step that it holds.
-- ARGV: id, step, tag.
-- Returns the number of this attempt, the order, what validation found, and when this was; or 0
-- where there is nothing to do: another holds it, or it is done, or the job has ended.
redis.call('ZREM', DUE, '') -- a full Redis lets a script finish that removes first
local step, tag = ARGV[2], ARGV[3]
expire()
local held = redis.call('ZSCORE', DUE, tag)
if not (held and is_due(step)) then
  if held then
    drop(step, tag)
    revisit(step)
    land()
    tell()
  end
  return { 0 }
end
local state = redis.call('HMGET', job, 'status', 'order', 'facts', 'total', 'chunks')
if state[1] == 'queued' then enter('running') end
-- Rows that are computed now: chunks are about as large as each other.
local rows = tonumber(step) and math.ceil(state[4] / state[5]) or 0
redis.call('HSET', flying, step, rows)
local id = ARGV[1] .. '.' .. step
local attempt = math.floor(math.abs(redis.call('HGET', ATTEMPTS, id) or 0)) + 1 -- see postpone.lua
redis.call('HSET', ATTEMPTS, id, attempt)
tell()
return { attempt, state[2], state[3] or '', stamp(clock()) }
