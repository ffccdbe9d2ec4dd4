-- Write the outcome; the first writer wins.
-- KEYS: record, attempts, statistics.
-- ARGV: outcome, time to live in seconds, id, head of a queued record, head of a running one,
--       then pairs of statistics fields and what to add to each.
-- Returns 1 if this outcome was written, 0 if there was one before.
local record = redis.call('GET', KEYS[1])
if record and string.sub(record, 1, #ARGV[4]) ~= ARGV[4] and string.sub(record, 1, #ARGV[5]) ~= ARGV[5] then
  return 0
end
redis.call('HDEL', KEYS[2], ARGV[3])
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
for i = 6, #ARGV, 2 do
  redis.call('HINCRBYFLOAT', KEYS[3], ARGV[i], ARGV[i + 1])
end
redis.call('PUBLISH', KEYS[1], ARGV[1])
return 1
