-- Uses: messages, attempts
-- Note that computations start, all in one microbatch.
-- KEYS: attempts, reserved, due, and the record of each.
-- ARGV: heads of a queued, a running and a retrying record; 1 if the call is repeated, because its
--       answer was lost; tags, ids, then, optionally, a queue deadline in Unix seconds for each, 0
--       for none.
-- Returns for each the number of its attempt; 0 if there is nothing to compute, because it has its
-- outcome, had one long ago, or went back to the queue; -1 if it is a suspect, and this microbatch
-- has other messages that must not die with it; -2 if its deadline has passed.
local queued, running, retrying, answer, many = ARGV[1], ARGV[2], ARGV[3], {}, #KEYS - 3
local tags, ids = { unpack(ARGV, 5, many + 4) }, { unpack(ARGV, many + 5, 2 * many + 4) }
local again = ARGV[4] == '1'
local now = clock()
local function is_late(i)
  local deadline = tonumber(ARGV[2 * many + 4 + i] or 0)
  return deadline > 0 and deadline < now
end
local function begins(record, head)
  return string.sub(record, 1, #head) == head and #head
end
redis.call('ZREM', KEYS[3], '') -- deleting first lets the script run on a full Redis
-- MGET gives nil for a key of another type, where GET would raise an error.
local records, ours = redis.call('MGET', unpack(KEYS, 4)), redis.call('ZMSCORE', KEYS[3], unpack(tags))
local before = redis.call('HMGET', KEYS[1], unpack(ids))
for i = 1, many do
  local record, attempt = records[i], 0
  local waits = record and (begins(record, queued) or begins(record, retrying))
  local charged, is_postponed, is_suspect = attempts_of(before[i])
  if record and not waits and not begins(record, running)
      or not record and is_gone(ids[i], now, RESULT_TTL) then
    redis.call('ZREM', KEYS[3], tags[i])
    redis.call('HDEL', KEYS[2], tags[i])
  -- From here on only for reservations that this worker still has. Without a time in `due` another
  -- worker has the message by now.
  elseif ours[i] and is_late(i) then
    attempt = -2
  elseif ours[i] and is_suspect and many > 1 then
    attempt = -1
  elseif ours[i] then
    attempt = charged + 1
    -- On repetition, the last start may be this very one, not one that crashed.
    if again and not is_postponed then attempt = math.max(charged, 1) end
    redis.call('HSET', KEYS[1], ids[i], attempt)
    if waits then
      redis.call('SET', KEYS[i + 3], running .. string.sub(record, waits + 1))
    end
  end
  answer[i] = attempt
end
return answer
