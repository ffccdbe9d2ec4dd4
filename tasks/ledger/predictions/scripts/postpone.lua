-- Uses: messages, attempts, tags
-- Schedule another attempt for messages whose attempt ended by broken infrastructure.
-- KEYS: attempts, reserved, due, and the record of each; no records for steps of batch jobs.
-- ARGV: seconds before the second attempt (doubled for each further one), most attempts, whether
--       they are suspects (1 or 0), tags, ids.
-- Returns for each "postponed"; "last" if its attempts are used up, and nothing was done; "gone" if
-- it has its outcome or another worker holds it.
-- Each reservation gets a new tag, so that the worker that had it cannot extend it any more.
local attempts, reserved, due = unpack(KEYS, 1, 3)
local first_wait, most, is_suspect = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1'
local many = (#ARGV - 3) / 2
local tags, ids = { unpack(ARGV, 4, many + 3) }, { unpack(ARGV, many + 4) }
local function record_key_at(i) return KEYS[3 + i] end
local now, answer = clock(), {}
local function postpone(i, charged, record)
  local message = redis.call('HGET', reserved, tags[i])
  redis.call('ZREM', due, tags[i]) -- deleting first lets the script run on a full Redis
  redis.call('HDEL', reserved, tags[i])
  -- Still reserved, so that the message is on the queue or here at every moment of its wait.
  redis.call('HSET', reserved, retry_tag(tags[i]), message)
  redis.call('ZADD', due, now + first_wait * 2 ^ (charged - 1), retry_tag(tags[i]))
  redis.call('HSET', attempts, ids[i], postponed_attempts(charged, is_suspect))
  if record then redis.call('SET', record_key_at(i), in_state(RETRYING_HEAD, record)) end
end
for i = 1, many do
  local key = record_key_at(i)
  local record = key and record_of(key)
  local charged, is_postponed = attempts_of(redis.call('HGET', attempts, ids[i]))
  -- The attempt that ends here is not counted yet if its process died before `start`.
  if charged == 0 or is_postponed then charged = charged + 1 end
  answer[i] = 'gone'
  -- Without a time of its own the tag is void: the reservation ended, and another worker may hold
  -- the message under another tag.
  if redis.call('ZSCORE', due, tags[i]) then
    if record and not head_of(record) then
      redis.call('ZREM', due, tags[i])
      redis.call('HDEL', reserved, tags[i])
    elseif charged >= most then
      answer[i] = 'last'
    else
      postpone(i, charged, record)
      answer[i] = 'postponed'
    end
  end
end
return answer
