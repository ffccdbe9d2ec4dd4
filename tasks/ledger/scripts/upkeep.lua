-- Keep what this worker holds, and give back what nobody kept: the work of the dead.
-- KEYS: reserved, due.
-- ARGV: seconds until what is held goes back, prefix of the counts of what waits, tags held.
-- Returns how many messages went back to their queues' consuming end.
local now, returned = redis.call('TIME'), 0
now = now[1] + now[2] / 1000000
for i = 3, #ARGV do
  redis.call('ZADD', KEYS[2], 'XX', now + ARGV[1], ARGV[i])
end
for _, tag in ipairs(redis.call('ZREVRANGEBYSCORE', KEYS[2], now, '-inf', 'LIMIT', 0, 1000)) do
  local message, queue = redis.call('HGET', KEYS[1], tag), string.match(tag, '^(.*):%d+$')
  redis.call('ZREM', KEYS[2], tag)
  redis.call('HDEL', KEYS[1], tag)
  if message then
    redis.call('RPUSH', queue, message)
    local told = string.match(message, '^{"headers":{"rows":(%d%d?%d?%d?%d?%d?%d?%d?%d?)[,}]')
    if told then
      redis.call('HINCRBY', ARGV[2] .. queue, 'rows', told)
      redis.call('HINCRBY', ARGV[2] .. queue, 'bytes', #message)
    end
    returned = returned + 1
  end
end
return returned
