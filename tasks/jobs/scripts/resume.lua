-- Go on with a job that stopped, at its first chunk that is not settled.
-- ARGV: id.
-- Returns whether it had stopped.
local state = redis.call('HMGET', job, 'status', 'chunks', 'window')
local status = state[1]
if status ~= 'failed' and status ~= 'cancelled' and status ~= 'expired' then return 0 end
redis.call('HDEL', job, 'error', 'ended_at', 'cancelling_at', 'busy', 'drained', 'settled_at')
redis.call('HSET', job, 'expires_at', stamp(clock() + JOB_TTL), 'next', 0)
if state[2] then
  enter('queued')
  finalize_or_go_on(state[3] - redis.call('HLEN', flying), true)
else
  enter('validating')
  if redis.call('HEXISTS', flying, 'validate') == 0 then push('validate', true) end
end
tell()
return 1
