-- Record a worker's heartbeat, by Redis's own clock.
-- KEYS: last seen, descriptions.
-- ARGV: worker, description, seconds after which a silent worker is forgotten.
local now, silence = tonumber(redis.call('TIME')[1]), tonumber(ARGV[3])
redis.call('ZREM', KEYS[1], ARGV[1]) -- deleting first lets the script run on a full Redis
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - silence)) do
  redis.call('ZREM', KEYS[1], gone)
  redis.call('HDEL', KEYS[2], gone)
end
