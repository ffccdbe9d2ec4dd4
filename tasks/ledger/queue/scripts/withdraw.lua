-- Uses: messages, attempts
-- Undo starts that were interrupted: the messages are due and queued again, and no attempt is
-- charged, since they crashed nothing.
-- KEYS: due, attempts, and the record of each.
-- ARGV: whether they are to run alone next (1 or 0), tags, then ids. A message that runs
--       alone cannot be interrupted by the time limit of another one again.
local due, attempts = unpack(KEYS, 1, 2)
local many, is_alone = #KEYS - 2, ARGV[1] == '1'
local function record_key_at(i) return KEYS[2 + i] end
local function tag_at(i) return ARGV[1 + i] end
local function id_at(i) return ARGV[1 + many + i] end
redis.call('ZREM', due, '') -- deleting first lets the script run on a full Redis
for i = 1, many do
  local tag, id, key = tag_at(i), id_at(i), record_key_at(i)
  -- Else the message was settled, or another worker holds it.
  if redis.call('ZSCORE', due, tag) then
    -- Due at once: the next upkeep of any worker returns the message to its queue.
    redis.call('ZADD', due, 0, tag)
    -- A message that was postponed and has not started since has no start to undo.
    local charged, is_postponed = attempts_of(redis.call('HGET', attempts, id))
    if charged == 1 and not is_postponed and is_alone then
      redis.call('HSET', attempts, id, postponed_attempts(0, true)) -- a suspect runs alone
    elseif charged == 1 and not is_postponed then
      redis.call('HDEL', attempts, id)
    elseif charged > 1 and not is_postponed then
      redis.call('HSET', attempts, id, started_attempts(charged - 1))
    end
    local record = record_of(key)
    if record and head_of(record) == RUNNING_HEAD then -- its deadline counts again
      redis.call('SET', key, in_state(QUEUED_HEAD, record))
    end
  end
end
