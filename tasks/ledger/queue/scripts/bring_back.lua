-- Uses: messages, flows
-- Move messages of a deployment without a worker to the queue that most predictions share.
-- KEYS: queue of the deployment, its hash of counts, the shared queue.  ARGV: how many at most.
-- Returns how many were moved, all from one list: 0 once nothing waits. The newest are moved first, each to the consuming end, so that once
-- all are moved they stand in their order, before all that waits there already.
local queue, queued, shared = unpack(KEYS)
local most = ARGV[1]
local list
for _, each in ipairs(lists_in(queue, 1)) do
  if redis.call('EXISTS', each) == 1 then list = each end
end
if not list then return 0 end
local newest = redis.call('LRANGE', list, 0, most - 1)
redis.call('LTRIM', list, #newest, -1)
local flow = redis.call('ZRANGE', FLOWS .. queue, 0, 0)[1]
if flow and redis.call('EXISTS', unpack(lists_of(queue, flow))) == 0 then
  redis.call('ZREM', FLOWS .. queue, flow)
end
if list ~= queue then redis.call('HINCRBY', queued, 'flowing', 0 - #newest) end
local rows, bytes = 0, 0
local by_tenant = redis.call('HGET', queued, 'by_tenant')
for i, message in ipairs(newest) do
  local told = rows_of(message)
  if told then rows, bytes = rows + told, bytes + #message end
  if by_tenant then count_for_tenant(queue, message, -1) end
  -- A pause returns a message to the queue that it names, so name the shared queue from now on.
  local at = string.find(message, '"routing_key":"' .. queue .. '"', 1, true)
  if at then
    local behind = at + 15 + #queue
    newest[i] = string.sub(message, 1, at + 14) .. shared .. string.sub(message, behind)
  end
end
redis.call('HINCRBY', queued, 'rows', 0 - rows)
redis.call('HINCRBY', queued, 'bytes', 0 - bytes)
give_back(shared, unpack(newest))
return #newest
