-- Uses: messages, attempts
-- Undo starts that were interrupted on purpose: the messages are due and queued again, and no
-- attempt is charged, since they crashed nothing.
-- KEYS: due, attempts, and the record of each.
-- ARGV: heads of a queued and of a running record, tags, then ids.
local queued, running, many = ARGV[1], ARGV[2], #KEYS - 2
redis.call('ZREM', KEYS[1], '') -- deleting first lets the script run on a full Redis
for i = 1, many do
  local tag, id, key = ARGV[i + 2], ARGV[many + i + 2], KEYS[i + 2]
  if redis.call('ZSCORE', KEYS[1], tag) then
    -- Due at once: the next upkeep of any worker returns the message to its queue.
    redis.call('ZADD', KEYS[1], 0, tag)
    -- A message that was postponed and has not started since has no start to undo.
    local charged, is_postponed = attempts_of(redis.call('HGET', KEYS[2], id))
    if charged == 1 and not is_postponed then
      redis.call('HDEL', KEYS[2], id)
    elseif charged > 1 and not is_postponed then
      redis.call('HINCRBY', KEYS[2], id, -1)
    end
    local record = record_of(key)
    if record and string.sub(record, 1, #running) == running then -- its deadline counts again
      redis.call('SET', key, queued .. string.sub(record, #running + 1))
    end
  end
end
