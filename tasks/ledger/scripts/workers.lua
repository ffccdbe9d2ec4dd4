-- The workers that live: description and what it holds, of each.
-- KEYS: last seen, descriptions.  ARGV: seconds of silence allowed, prefix of the sets of what they hold.
local now, answer = tonumber(redis.call('TIME')[1]), {}
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], now - tonumber(ARGV[1]), '+inf')) do
  answer[#answer + 1] = redis.call('HGET', KEYS[2], worker)
  answer[#answer + 1] = redis.call('SMEMBERS', ARGV[2] .. worker)
end
return answer
