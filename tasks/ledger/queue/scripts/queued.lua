-- Uses: messages, flows
-- The ids of messages that wait, without reading the messages into the answer.
-- KEYS: queue.
-- ARGV: how many.
-- Returns the ids, the next to be taken of each flow first; messages without a readable id are left
-- out.
local queue, most = KEYS[1], tonumber(ARGV[1])
local ids = {}
for _, list in ipairs(lists_in(queue, most)) do
  for i = 1, math.min(redis.call('LLEN', list), most - #ids) do
    ids[#ids + 1] = id_of(redis.call('LINDEX', list, -i))
  end
end
return ids
