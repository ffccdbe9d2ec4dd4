-- Uses: messages, pausing, attempts, jobs.jobs
-- Start a step that a worker holds.
-- ARGV: id, step, tag.
-- Returns the number of this attempt, the job request, the facts, and the time; or 0 if there is
-- nothing to do: another worker holds the step, or it is done, or the job has ended.
redis.call('ZREM', DUE, '') -- deleting first lets the script run on a full Redis
local step, tag = ARGV[2], ARGV[3]
expire()
local held = redis.call('ZSCORE', DUE, tag)
if not (held and is_due(step)) then
  -- The message is still held here, but its step is settled, or its job has stopped: drop the
  -- message.
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
-- Rows being computed: an estimate, as all chunks have about the same size.
local rows = tonumber(step) and math.ceil(state[4] / state[5]) or 0
redis.call('HSET', flying, step, rows)
local id = ARGV[1] .. '.' .. step
local attempt = attempts_of(redis.call('HGET', ATTEMPTS, id)) + 1
redis.call('HSET', ATTEMPTS, id, attempt)
tell()
return { attempt, state[2], state[3] or '', stamp(clock()) }
