-- Uses: messages, pausing, webhooks.events, burying, in_flight, outcomes, ledger.tenants.storing, reuse
-- Bury a message that cannot be read: keep it whole, and settle its prediction if its id is known.
-- KEYS: reserved, due, and, if its id can be read: attempts, record.
-- ARGV: tag, id of the letter, the letter without its end; and with a record: its id, outcome, time
--       to live in seconds.
-- Returns how many older letters were dropped; nothing if the message is no longer reserved here.
-- Deleting comes first: a full Redis refuses only scripts whose first write adds data.
local reserved, due, attempts, record_key = unpack(KEYS)
local tag, letter_id, letter, id, outcome, ttl = unpack(ARGV)
-- Another worker may have the message by now, and be able to read it.
if redis.call('HDEL', reserved, tag) == 0 then return end
redis.call('ZREM', due, tag)
local now, version = clock(), nil
local died_at = string.format('%.6f', now)
-- A letter with this id may belong to another message, since any producer can choose ids.
local free_id = redis.call('HEXISTS', DEAD_LETTERS, letter_id) == 0 and letter_id or tag
local head = '{"id":' .. cjson.encode(free_id) .. ',"died_at":' .. died_at .. ','
if record_key then
  redis.call('HDEL', attempts, id)
  -- Any producer can choose an id, also that of a prediction which has its outcome already.
  local record = record_of(record_key)
  if not record or head_of(record) then
    redis.call('SET', record_key, outcome, 'EX', ttl)
    local model, number = string.match(outcome, '"model":"([^"]*)","version":(%d+)')
    version = (model or '') .. ':' .. (number or 0)
    publish(record_key, id, outcome, 'failed', version)
    reuse_functions(ttl).release(id, outcome, version)
  end
end
local dropped = bury(free_id, head .. letter, died_at)
if version then tell_webhook(id, 'failed', version) end
return dropped
