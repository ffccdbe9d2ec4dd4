-- Uses: messages, flows, webhooks.events, burying
-- Replay a dead letter: its message goes back to its queue under the same id. An operator's act,
-- and the only script that reopens a failed outcome.
-- KEYS: queue, its hash of counts, and, if the letter has an id of a prediction: record.
-- ARGV: id of the letter, when it died, message, most rows and most bytes the queue may hold, and
--       with a record: the queued record, without its number.
-- Returns "replayed"; "gone" if that letter no longer exists; "full"; or "stands" if the prediction
-- is open or has an outcome other than a failure.
local queue, queued, record_key = unpack(KEYS)
local letter_id, died_at, message, most_rows, most_bytes, record = unpack(ARGV)
local found_at = redis.call('ZSCORE', DEAD_LETTER_TIMES, letter_id)
if not found_at or tonumber(found_at) ~= tonumber(died_at) then return 'gone' end
if record_key then
  if redis.call('EXISTS', record_key) == 1 and state_of(record_key) ~= 'failed' then return 'stands' end
end
local depth = redis.call('LLEN', queue) + flowing(queue)
if depth == 0 then -- a purge of the list leaves the counts behind
  -- Set, not delete: a script that deletes first may go on to write to a full Redis.
  redis.call('HSET', queued, 'rows', 0, 'bytes', 0)
end
local told = rows_of(message)
local waiting = redis.call('HMGET', queued, 'rows', 'bytes', 'taken', 'by_tenant')
local rows, bytes = (waiting[1] or 0) + (told or 0), (waiting[2] or 0) + #message
if rows > tonumber(most_rows) or bytes > tonumber(most_bytes) then return 'full' end
if record_key then -- it gets a new number, behind all that wait; see accept.lua
  local number = (waiting[3] or 0) + depth + 1
  redis.call('SET', record_key, string.sub(record, 1, -2) .. ',"number":' .. number .. '}')
end
redis.call('LPUSH', queue, message)
if told then
  redis.call('HINCRBY', queued, 'rows', told)
  redis.call('HINCRBY', queued, 'bytes', #message)
  if waiting[4] then count_for_tenant(queue, message, 1) end
end
-- The webhook is told of the next outcome, too.
local webhook = redis.call('HGET', WEBHOOKS, letter_id)
delete_letter(letter_id)
if webhook then redis.call('HSET', WEBHOOKS, letter_id, webhook) end
-- For an hour, a caller that missed the answer can ask again; see Replays.replay.
local id = record_key and string.sub(record_key, #RECORD + 1) or ''
redis.call('SET', REPLAYED .. letter_id, id, 'EX', 3600)
return 'replayed'
