-- Uses: messages, pausing, burying
-- Bury a message that cannot be read: keep it whole, and settle its prediction if its id is known.
-- KEYS: reserved, due, and, if its id can be read: attempts, record.
-- ARGV: tag, id of the letter, the letter without its end; and with a record: its id, outcome, time
--       to live in seconds, and the heads that an open record may have.
-- Returns how many older letters were dropped, or -1 if the message is no longer reserved here.
-- Deleting comes first: a full Redis refuses only scripts whose first write adds data.
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return -1 end
redis.call('ZREM', KEYS[2], ARGV[1])
local now = clock()
local died_at = string.format('%.6f', now)
-- A letter with this id may belong to another message, since any producer can choose ids.
local id = redis.call('HEXISTS', DEAD_LETTERS, ARGV[2]) == 0 and ARGV[2] or ARGV[1]
local head = '{"id":' .. cjson.encode(id) .. ',"died_at":' .. died_at .. ','
if KEYS[4] then
  redis.call('HDEL', KEYS[3], ARGV[4])
  -- Any producer can choose an id, also that of a prediction which has its outcome already.
  local record, open = record_of(KEYS[4]), false
  for i = 7, #ARGV do open = open or not record or string.sub(record, 1, #ARGV[i]) == ARGV[i] end
  if open then
    redis.call('SET', KEYS[4], ARGV[5], 'EX', ARGV[6])
    redis.call('PUBLISH', KEYS[4], ARGV[5])
  end
end
return bury(id, head .. ARGV[3], died_at)
