-- Note that computations start, all in one batch.
-- KEYS: attempts, reserved, due, and the record of each.
-- ARGV: head of a queued record, head of a running one, tags, then ids.
-- Returns for each the number of its attempt; 0 where there is nothing to compute, because it has
-- its outcome or went back to the queue meanwhile; -1 where a process died computing it before,
-- and there is company in this batch that it must not take along.
local queued, running, answer, many = ARGV[1], ARGV[2], {}, #KEYS - 3
local tags, ids = { unpack(ARGV, 3, many + 2) }, { unpack(ARGV, many + 3) }
redis.call('ZREM', KEYS[3], '') -- a full Redis lets a script finish that removes first
local records, ours = redis.call('MGET', unpack(KEYS, 4)), redis.call('ZMSCORE', KEYS[3], unpack(tags))
local before = redis.call('HMGET', KEYS[1], unpack(ids))
for i = 1, many do
  local record, attempt = records[i], 0
  local waits = record and string.sub(record, 1, #queued) == queued
  if record and not waits and string.sub(record, 1, #running) ~= running then
    redis.call('ZREM', KEYS[3], tags[i])
    redis.call('HDEL', KEYS[2], tags[i])
  elseif ours[i] and before[i] and many > 1 then
    attempt = -1
  elseif ours[i] then
    attempt = redis.call('HINCRBY', KEYS[1], ids[i], 1)
    if waits then
      redis.call('SET', KEYS[i + 3], running .. string.sub(record, #queued + 1))
    end
  end
  answer[i] = attempt
end
return answer
