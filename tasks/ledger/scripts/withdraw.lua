-- Take back starts that were interrupted on purpose: they are due at once, and no attempt is
-- charged, since nobody died of them.
-- KEYS: due, attempts.
-- ARGV: tags, then ids.
redis.call('ZREM', KEYS[1], '') -- a full Redis lets a script finish that removes first
for i = 1, #ARGV / 2 do
  local tag, id = ARGV[i], ARGV[#ARGV / 2 + i]
  if redis.call('ZSCORE', KEYS[1], tag) then
    redis.call('ZADD', KEYS[1], 0, tag)
    -- A half says that it was put off and has not begun since; see postpone.lua.
    local begun = tonumber(redis.call('HGET', KEYS[2], id) or 0)
    if begun == 1 then
      redis.call('HDEL', KEYS[2], id)
    elseif begun > 1 and begun == math.floor(begun) then
      redis.call('HINCRBY', KEYS[2], id, -1)
    end
  end
end
