-- Record a worker's heartbeat, by Redis's own clock.
-- KEYS: last seen, descriptions.
-- ARGV: worker, description, seconds after which a silent worker is forgotten.
local seen, descriptions = unpack(KEYS)
local worker, description, silence = unpack(ARGV)
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREM', seen, worker) -- deleting first lets the script run on a full Redis
redis.call('ZADD', seen, now, worker)
redis.call('HSET', descriptions, worker, description)
-- A worker that was killed does not remove itself.
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', seen, '-inf', now - silence)) do
  redis.call('ZREM', seen, gone)
  redis.call('HDEL', descriptions, gone)
end
