-- Uses: messages, attempts
-- Note that computations start, all in one microbatch.
-- KEYS: attempts, reserved, due, and the record of each.
-- ARGV: 1 if the call is repeated, because its answer was lost; tags, ids, then, optionally, a queue
--       deadline in Unix seconds for each, empty for none.
-- Returns for each the number of its attempt; "done" if there is nothing to compute, because it has
-- its outcome, had one long ago, or went back to the queue; "suspect" if it is one, and this
-- microbatch has other messages that must not die with it; "late" if its deadline has passed.
local attempts, reserved, due = unpack(KEYS, 1, 3)
local is_repeated, many = ARGV[1] == '1', #KEYS - 3
local tags, ids = { unpack(ARGV, 2, many + 1) }, { unpack(ARGV, many + 2, 2 * many + 1) }
local function record_key_at(i) return KEYS[3 + i] end
local function record_keys() return unpack(KEYS, 4) end
local function deadline_at(i) return tonumber(ARGV[2 * many + 1 + i]) end
local now, answer = clock(), {}
local function is_late(i)
  local deadline = deadline_at(i)
  return deadline and deadline < now
end
redis.call('ZREM', due, '') -- deleting first lets the script run on a full Redis
-- MGET gives nil for a key of another type, where GET would raise an error.
local records, ours = redis.call('MGET', record_keys()), redis.call('ZMSCORE', due, unpack(tags))
local before = redis.call('HMGET', attempts, unpack(ids))
for i = 1, many do
  local record = records[i]
  local head = record and head_of(record)
  local charged, is_postponed, is_suspect = attempts_of(before[i])
  answer[i] = 'done'
  if record and not head or not record and is_gone(ids[i], now, RESULT_TTL) then
    redis.call('ZREM', due, tags[i])
    redis.call('HDEL', reserved, tags[i])
  -- From here on, only reservations that this worker still has. Without a time in `due`, another
  -- worker has the message by now.
  elseif ours[i] and is_late(i) then
    answer[i] = 'late'
  elseif ours[i] and is_suspect and many > 1 then
    answer[i] = 'suspect'
  elseif ours[i] then
    local attempt = charged + 1
    -- On repetition, the last start may be this very one, not one that crashed.
    -- A message that is postponed has not started since, so this call starts it.
    if is_repeated and not is_postponed then attempt = math.max(charged, 1) end
    redis.call('HSET', attempts, ids[i], started_attempts(attempt))
    if head and head ~= RUNNING_HEAD then
      redis.call('SET', record_key_at(i), in_state(RUNNING_HEAD, record))
    end
    answer[i] = attempt
  end
end
return answer
