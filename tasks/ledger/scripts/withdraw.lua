-- Take back starts that were interrupted on purpose: they are due at once and queued again, and no
-- attempt is charged, since nobody died of them.
-- KEYS: due, attempts, and the record of each.
-- ARGV: heads of a queued and of a running record, tags, then ids.
local queued, running, many = ARGV[1], ARGV[2], #KEYS - 2
redis.call('ZREM', KEYS[1], '') -- a full Redis lets a script finish that removes first
for i = 1, many do
  local tag, id, key = ARGV[i + 2], ARGV[many + i + 2], KEYS[i + 2]
  if redis.call('ZSCORE', KEYS[1], tag) then
    redis.call('ZADD', KEYS[1], 0, tag)
    -- A half says that it was put off and has not begun since; see postpone.lua.
    local begun = tonumber(redis.call('HGET', KEYS[2], id) or 0)
    if begun == 1 then
      redis.call('HDEL', KEYS[2], id)
    elseif begun > 1 and begun == math.floor(begun) then
      redis.call('HINCRBY', KEYS[2], id, -1)
    end
    local record = record_of(key)
    if record and string.sub(record, 1, #running) == running then -- its deadline counts again
      redis.call('SET', key, queued .. string.sub(record, #running + 1))
    end
  end
end
