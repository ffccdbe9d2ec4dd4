-- A new job, which is validated first.
-- ARGV: id, order, message of its steps.
if redis.call('EXISTS', job) == 1 then return end
local now = clock()
redis.call('HSET', job, 'order', ARGV[2], 'message', ARGV[3], 'created_at', stamp(now),
  'expires_at', stamp(now + JOB_TTL), 'succeeded', 0, 'failed', 0)
redis.call('ZADD', JOBS, stamp(now), ARGV[1])
enter('validating')
push('validate')
