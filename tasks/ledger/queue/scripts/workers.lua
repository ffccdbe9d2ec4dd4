-- The descriptions of the live workers.
-- KEYS: last seen, descriptions.  ARGV: seconds without a heartbeat after which a worker no longer counts.
local seen, descriptions = unpack(KEYS)
local silence = ARGV[1]
local alive, answer = redis.call('TIME')[1] - silence, {}
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', seen, alive, '+inf')) do
  answer[#answer + 1] = redis.call('HGET', descriptions, worker)
end
return answer
