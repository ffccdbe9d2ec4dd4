-- Schedule another attempt for messages whose attempt ended by broken infrastructure.
-- KEYS: reserved, due, attempts, and the record of each.
-- ARGV: the three heads of an open record, the retrying one last; seconds before the second attempt
--       (doubled for each further one), most attempts, whether they are suspects (1 or 0), tags,
--       ids.
-- Returns for each "postponed"; "last" if its attempts are used up, and nothing was done; "gone" if
-- it has its outcome or another worker holds it.
-- Each reservation gets a new tag, so that the worker that held it cannot extend it any more.
-- Attempts are stored as n + 0.5 once postponed. A message that comes back at n + 0.5 died before
-- `start`, so that counts as an attempt too. The number is negative for one that may have company.
local answer, many = {}, #KEYS - 3
local tags, ids = { unpack(ARGV, 7, many + 6) }, { unpack(ARGV, many + 7) }
local first, most, sign = ARGV[4], tonumber(ARGV[5]), ARGV[6] == '1' and 1 or -1
local now = clock()
local function open(record) -- returns the length of its head, nil if it has its outcome
  for i = 1, 3 do
    if string.sub(record, 1, #ARGV[i]) == ARGV[i] then return #ARGV[i] end
  end
end
for i = 1, many do
  local record, before = record_of(KEYS[i + 3]), redis.call('HGET', KEYS[3], ids[i])
  before = math.abs(before or 0)
  local attempts = math.floor(before)
  if before == 0 or before > attempts then attempts = attempts + 1 end
  answer[i] = 'gone'
  if redis.call('ZSCORE', KEYS[2], tags[i]) then
    local message, tag = redis.call('HGET', KEYS[1], tags[i]), string.gsub(tags[i], ':(%d+)$', ':0%1')
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
      redis.call('HSET', KEYS[3], ids[i], tostring(sign * (attempts + 0.5)))
      if record then
        redis.call('SET', KEYS[i + 3], ARGV[3] .. string.sub(record, open(record) + 1))
      end
      answer[i] = 'postponed'
    end
  end
end
return answer
