-- Put a message aside, whole, that nobody can read, and settle its prediction where it says which.
-- KEYS: reserved, due, and, if its id can be read: attempts, record.
-- ARGV: tag, id of the letter, the letter without its end; and with a record: its id, outcome, time
--       to live in seconds, and the heads that an open record may have.
-- Returns how many older letters were dropped, or -1 where the message is another's by now.
-- Removing comes first: a full Redis lets such a script finish.
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return -1 end
redis.call('ZREM', KEYS[2], ARGV[1])
local now = clock()
local died_at = string.format('%.6f', now)
-- An id that a letter has already may have been given to another message.
local id = redis.call('HEXISTS', DEAD_LETTERS, ARGV[2]) == 0 and ARGV[2] or ARGV[1]
local head = '{"id":' .. cjson.encode(id) .. ',"died_at":' .. died_at .. ','
if KEYS[4] then
  redis.call('HDEL', KEYS[3], ARGV[4])
  local record, open = record_of(KEYS[4]), false
  for i = 7, #ARGV do open = open or not record or string.sub(record, 1, #ARGV[i]) == ARGV[i] end
  if open then
    redis.call('SET', KEYS[4], ARGV[5], 'EX', ARGV[6])
    redis.call('PUBLISH', KEYS[4], ARGV[5])
  end
end
return bury(id, head .. ARGV[3], died_at)
