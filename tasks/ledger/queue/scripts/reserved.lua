-- Uses: messages, tags
-- The ids of reserved messages of a queue, without those that wait for a retry.
-- KEYS: reserved.
-- ARGV: queue, how many messages to look at.
-- Returns the ids, in no order.
local reserved, queue, most = KEYS[1], ARGV[1], tonumber(ARGV[2])
local ids = {}
local found = redis.call('HSCAN', reserved, 0, 'COUNT', most)[2]
for i = 1, math.min(#found, 2 * most), 2 do
  if queue_of_reservation(found[i]) == queue then ids[#ids + 1] = id_of(found[i + 1]) end
end
return ids
