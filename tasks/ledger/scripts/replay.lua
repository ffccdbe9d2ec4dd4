-- Uses: messages, burying
-- Replay a dead letter: its message goes back to its queue under the same id. An operator's act,
-- and the only script that reopens a failed outcome.
-- KEYS: queue, its hash of counts, and, if the letter has an id of a prediction: record.
-- ARGV: id of the letter, when it died, message, most rows and most bytes the queue may hold, and
--       with a record: the queued record, without its number.
-- Returns "replayed"; "gone" if that letter no longer exists; "full"; or "stands" if the prediction
-- is open or has an outcome other than a failure.
if tonumber(redis.call('ZSCORE', DEAD_LETTER_TIMES, ARGV[1]) or -1) ~= tonumber(ARGV[2]) then
  return 'gone'
end
if KEYS[3] then
  if redis.call('EXISTS', KEYS[3]) == 1 and state_of(KEYS[3]) ~= 'failed' then return 'stands' end
end
local depth = redis.call('LLEN', KEYS[1])
if depth == 0 then -- a purge of the list leaves the counts behind
  redis.call('HDEL', KEYS[2], 'rows', 'bytes')
end
local told = rows_of(ARGV[3])
local waiting = redis.call('HMGET', KEYS[2], 'rows', 'bytes', 'taken')
local rows, bytes = (waiting[1] or 0) + (told or 0), (waiting[2] or 0) + #ARGV[3]
if rows > tonumber(ARGV[4]) or bytes > tonumber(ARGV[5]) then return 'full' end
if KEYS[3] then -- it gets a new place, behind all that wait; see accept.lua
  local number = (waiting[3] or 0) + depth + 1
  redis.call('SET', KEYS[3], string.sub(ARGV[6], 1, -2) .. ',"number":' .. number .. '}')
end
redis.call('LPUSH', KEYS[1], ARGV[3])
if told then
  redis.call('HINCRBY', KEYS[2], 'rows', told)
  redis.call('HINCRBY', KEYS[2], 'bytes', #ARGV[3])
end
forget(ARGV[1])
-- For an hour, a caller that missed the answer can ask again; see Replays.replay.
redis.call('SET', REPLAYED .. ARGV[1], KEYS[3] and string.sub(KEYS[3], #RECORD + 1) or '', 'EX', 3600)
return 'replayed'
