-- Uses: messages, attempts, tags
-- Schedule another attempt for messages whose attempt ended by broken infrastructure.
-- KEYS: reserved, due, attempts, and the record of each.
-- ARGV: the three heads of an open record, the retrying one last; seconds before the second attempt
--       (doubled for each further one), most attempts, whether they are suspects (1 or 0), tags,
--       ids.
-- Returns for each "postponed"; "last" if its attempts are used up, and nothing was done; "gone" if
-- it has its outcome or another worker holds it.
-- Each reservation gets a new tag, so that the worker that held it cannot extend it any more.
local answer, many = {}, #KEYS - 3
local tags, ids = { unpack(ARGV, 7, many + 6) }, { unpack(ARGV, many + 7) }
local first, most, suspect = ARGV[4], tonumber(ARGV[5]), ARGV[6] == '1'
local now = clock()
local function open(record) -- returns the length of its head, nil if it has its outcome
  for i = 1, 3 do
    if string.sub(record, 1, #ARGV[i]) == ARGV[i] then return #ARGV[i] end
  end
end
for i = 1, many do
  local record = record_of(KEYS[i + 3])
  local attempts, is_postponed = attempts_of(redis.call('HGET', KEYS[3], ids[i]))
  -- The attempt that ends here is not counted yet if its process died before `start`.
  if attempts == 0 or is_postponed then attempts = attempts + 1 end
  answer[i] = 'gone'
  -- Without a time of its own the tag is void: the reservation ended, and another worker may hold
  -- the message under another tag.
  if redis.call('ZSCORE', KEYS[2], tags[i]) then
    local message, tag = redis.call('HGET', KEYS[1], tags[i]), retry_tag(tags[i])
    if record and not open(record) then
      redis.call('ZREM', KEYS[2], tags[i])
      redis.call('HDEL', KEYS[1], tags[i])
    elseif attempts >= most then
      answer[i] = 'last'
    else
      redis.call('ZREM', KEYS[2], tags[i]) -- deleting first lets the script run on a full Redis
      redis.call('HDEL', KEYS[1], tags[i])
      redis.call('HSET', KEYS[1], tag, message)
      redis.call('ZADD', KEYS[2], now + first * 2 ^ (attempts - 1), tag)
      redis.call('HSET', KEYS[3], ids[i], postponed_attempts(attempts, suspect))
      if record then
        redis.call('SET', KEYS[i + 3], ARGV[3] .. string.sub(record, open(record) + 1))
      end
      answer[i] = 'postponed'
    end
  end
end
return answer
