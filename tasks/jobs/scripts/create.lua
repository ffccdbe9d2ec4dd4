-- Uses: messages, tags, pausing, webhooks.events, jobs.jobs
-- Create a job, and queue its validation.
-- ARGV: id, job request, message of its steps, its version, most jobs under way, most jobs kept;
--       and with an idempotency key: the key, and the fingerprint of the job request.
-- Returns the id that was accepted, now or before under the same key; or a refusal: { "live" } or
-- { "kept" } if there are too many of these; { "conflict" } if the key came with another job
-- request; or that of a paused version, see refusal().
-- A job cannot be the probe: it is refused until the pause ends.
local id, request, message, version, most_live, most_kept, idempotency_key, fingerprint = unpack(ARGV)
use_job(id)
local key = idempotency_key and JOB_IDEMPOTENCY .. idempotency_key
if key then
  local before = redis.call('HMGET', key, 'id', 'fingerprint')
  -- Earlier releases kept the key of a deleted job; then the same request makes another job.
  if before[1] and redis.call('EXISTS', JOB .. before[1]) == 1 then
    return before[2] == fingerprint and before[1] or { 'conflict' }
  end
end
if redis.call('EXISTS', job) == 1 then return job_id end
local now = clock()
local entry, why = entry_of(version)
if entry then return refusal(entry, why, now) end
if redis.call('SCARD', JOBS_LIVE) >= tonumber(most_live) then return { 'live' } end
if redis.call('ZCARD', JOBS) >= tonumber(most_kept) then return { 'kept' } end
redis.call('HSET', job, 'order', request, 'message', message, 'created_at', stamp(now),
  'expires_at', stamp(now + JOB_TTL), 'succeeded', 0, 'failed', 0)
redis.call('ZADD', JOBS, stamp(now), job_id)
if key then
  redis.call('HSET', job, 'key', key)
  redis.call('HSET', key, 'id', job_id, 'fingerprint', fingerprint)
  -- A job may take one time to live, and is kept for another.
  redis.call('EXPIRE', key, math.ceil(2 * JOB_TTL))
end
set_status('validating')
push('validate')
return job_id
