-- Put copies for shadows on the queue of batch jobs, unless too much waits there.
-- KEYS: the queue, its counts. ARGV: most messages that may wait; then for each copy: rows, message.
-- Returns how many were put there.
local queue, counts, most = KEYS[1], KEYS[2], tonumber(ARGV[1])
local copies = ARGV -- from the second on
local left = most - redis.call('LLEN', queue)
local sent = 0
for i = 2, #copies, 2 do
  if sent >= left then break end
  -- As accept.lua counts them: reserve.lua takes them off again.
  redis.call('HINCRBY', counts, 'rows', copies[i])
  redis.call('HINCRBY', counts, 'bytes', #copies[i + 1])
  redis.call('LPUSH', queue, copies[i + 1])
  sent = sent + 1
end
return sent
