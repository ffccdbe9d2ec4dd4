-- Take messages from a queue, the oldest first, and note them as reserved, in one step: a message
-- is never in a process's memory alone. The first is taken whatever its size.
-- KEYS: queue, what waits on it, reserved, due.
-- ARGV: seconds until they go back, most messages, most rows, most bytes.
-- Returns pairs of tag and message. Removing comes first: a full Redis lets such a script finish.
local now, taken, dues = redis.call('TIME'), {}, {}
local due = now[1] + now[2] / 1000000 + ARGV[1]
local most, wide, long = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local rows, bytes, counted_rows, counted_bytes = 0, 0, 0, 0
local serial = tonumber(redis.call('HGET', KEYS[2], 'reserved') or 0)
while #taken < 2 * most do
  local message = redis.call('RPOP', KEYS[1])
  if not message then break end
  -- Stock producers do not say how many rows they send, and were not counted when they pushed.
  -- A number of more than nine digits is none: Redis could not count it.
  local told = tonumber(string.match(message, '^{"headers":{"rows":(%d%d?%d?%d?%d?%d?%d?%d?%d?)[,}]'))
  rows, bytes = rows + (told or 1), bytes + #message
  if #taken > 0 and (rows > wide or bytes > long) then
    redis.call('RPUSH', KEYS[1], message)
    break
  end
  if told then
    counted_rows, counted_bytes = counted_rows + told, counted_bytes + #message
  end
  serial = serial + 1
  local tag = KEYS[1] .. ':' .. serial
  taken[#taken + 1] = tag
  taken[#taken + 1] = message
  dues[#dues + 1] = due
  dues[#dues + 1] = tag
end
if #taken > 0 then
  redis.call('HSET', KEYS[3], unpack(taken))
  redis.call('ZADD', KEYS[4], unpack(dues))
  redis.call('HINCRBY', KEYS[2], 'rows', 0 - counted_rows)
  redis.call('HINCRBY', KEYS[2], 'bytes', 0 - counted_bytes)
  redis.call('HSET', KEYS[2], 'reserved', serial)
end
return taken
