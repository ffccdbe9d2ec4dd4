-- Uses: messages, pausing, jobs.jobs
-- Create a job, and queue its validation.
-- ARGV: id, job request, message of its steps, its version, most jobs under way, most jobs kept;
--       and with an idempotency key: the key, and the fingerprint of the job request.
-- Returns the id that was accepted, now or before under the same key; "live" or "kept" if there are
-- too many of these; "conflict" if the key came with another job request; or, if the version is
-- paused, "paused", seconds and the pause, as accept.lua does.
-- A job cannot be the probe: it is refused until the pause ends.
local key = ARGV[7] and JOB_IDEMPOTENCY .. ARGV[7]
if key then
  local before = redis.call('HMGET', key, 'id', 'fingerprint')
  -- The key outlives its job, which callers can delete; then the same request makes another job.
  if before[1] and redis.call('EXISTS', JOB .. before[1]) == 1 then
    return before[2] == ARGV[8] and before[1] or 'conflict'
  end
end
if redis.call('EXISTS', job) == 1 then return ARGV[1] end
local now = clock()
local entry, why = entry_of(ARGV[4])
if entry then return refusal(entry, why, now) end
if redis.call('SCARD', JOBS_LIVE) >= tonumber(ARGV[5]) then return 'live' end
if redis.call('ZCARD', JOBS) >= tonumber(ARGV[6]) then return 'kept' end
redis.call('HSET', job, 'order', ARGV[2], 'message', ARGV[3], 'created_at', stamp(now),
  'expires_at', stamp(now + JOB_TTL), 'succeeded', 0, 'failed', 0)
redis.call('ZADD', JOBS, stamp(now), ARGV[1])
if key then
  redis.call('HSET', key, 'id', ARGV[1], 'fingerprint', ARGV[8])
  redis.call('EXPIRE', key, math.ceil(2 * JOB_TTL))
end
enter('validating')
push('validate')
return ARGV[1]
