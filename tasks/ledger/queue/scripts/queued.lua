-- Uses: messages
-- The ids of messages that wait, without reading the messages into the answer.
-- KEYS: queue.
-- ARGV: how many.
-- Returns the ids, the next to be taken first; messages without a readable id are left out.
local queue, most = KEYS[1], tonumber(ARGV[1])
local ids = {}
for i = 1, math.min(redis.call('LLEN', queue), most) do
  ids[#ids + 1] = id_of(redis.call('LINDEX', queue, -i))
end
return ids
