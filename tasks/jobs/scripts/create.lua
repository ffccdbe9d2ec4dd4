-- A new job, which is validated first.
-- ARGV: id, order, message of its steps, its version.
-- Returns nothing; or, where the version is paused, "paused", seconds and why, as accept.lua does.
-- A job is no probe: it is refused as long as the pause lasts.
if redis.call('EXISTS', job) == 1 then return end
local now = clock()
local entry, why = entry_of(ARGV[4])
if entry then return refusal(entry, why, now) end
redis.call('HSET', job, 'order', ARGV[2], 'message', ARGV[3], 'created_at', stamp(now),
  'expires_at', stamp(now + JOB_TTL), 'succeeded', 0, 'failed', 0)
redis.call('ZADD', JOBS, stamp(now), ARGV[1])
enter('validating')
push('validate')
