-- The descriptions of the live workers.
-- KEYS: last seen, descriptions.  ARGV: seconds without a heartbeat after which a worker no longer counts.
local alive, answer = tonumber(redis.call('TIME')[1]) - tonumber(ARGV[1]), {}
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], alive, '+inf')) do
  answer[#answer + 1] = redis.call('HGET', KEYS[2], worker)
end
return answer
