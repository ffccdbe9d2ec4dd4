-- Try these again, each a while after an attempt that broken infrastructure ended.
-- KEYS: reserved, due, attempts, and the record of each.
-- ARGV: heads of a running and a retrying record, seconds before the second attempt (they double
--       with each), most attempts, whether they are suspects (1 or 0), tags, then ids.
-- Returns for each 1 where it waits for its time now; 0 where that was its last attempt, or it is
-- settled or taken away: nothing was done to it.
-- Each gets another tag, so that whoever held it cannot keep it from going back to its queue.
local running, retrying, answer, many = ARGV[1], ARGV[2], {}, #KEYS - 3
local tags, ids = { unpack(ARGV, 6, many + 5) }, { unpack(ARGV, many + 6) }
local now = redis.call('TIME')
now = now[1] + now[2] / 1000000
for i = 1, many do
  local attempts = math.abs(redis.call('HGET', KEYS[3], ids[i]) or 0)
  local record = redis.call('GET', KEYS[i + 3])
  local open = not record or string.sub(record, 1, #running) == running
  answer[i] = 0
  if open and attempts < tonumber(ARGV[4]) and redis.call('ZREM', KEYS[2], tags[i]) == 1 then
    local message, tag = redis.call('HGET', KEYS[1], tags[i]), string.gsub(tags[i], ':(%d+)$', ':0%1')
    redis.call('HDEL', KEYS[1], tags[i])
    redis.call('HSET', KEYS[1], tag, message)
    redis.call('ZADD', KEYS[2], now + ARGV[3] * 2 ^ math.max(attempts - 1, 0), tag)
    if ARGV[5] == '0' then
      redis.call('HSET', KEYS[3], ids[i], 0 - attempts)
    end
    if record then
      redis.call('SET', KEYS[i + 3], retrying .. string.sub(record, #running + 1))
    end
    answer[i] = 1
  end
end
return answer
