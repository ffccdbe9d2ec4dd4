-- Shared by scripts that put messages into flows, or look at what waits. Needs messages.
-- A flow is what waits of one caller with a key, on a list of its own. All other messages are the
-- shared flow, on the list of the queue itself, which workers watch: so that list is never empty
-- while a flow waits. FLOWS has the virtual time of each flow that waits; see turns.lua.
-- A prediction with a priority waits on another list of its flow; of the shared flow, whose name is
-- empty, as well.
local HIGH, LOW = '/high', '/low'

local function flow_list(queue, flow)
  return FLOW .. queue .. ':' .. flow
end

-- The lists of a flow.
local function lists_of(queue, flow)
  local list = flow_list(queue, flow)
  return { list .. HIGH, flow == '' and queue or list, list .. LOW }
end

-- How many messages wait in flows.
local function flowing(queue)
  return tonumber(redis.call('HGET', QUEUED .. queue, 'flowing') or 0)
end

-- `priority`: HIGH, LOW or an empty text.
local function add_to_flow(queue, flow, priority, message)
  local many = redis.call('LPUSH', flow_list(queue, flow) .. priority, message)
  if flow ~= '' and many == 1 and not redis.call('ZSCORE', FLOWS .. queue, flow) then
    -- Time in which it had nothing to wait for is not saved up, but what it had beyond its share is
    -- still charged.
    local now = redis.call('HGET', QUEUED .. queue, 'virtual') or 0
    local before = redis.call('ZSCORE', IDLE_FLOWS .. queue, flow) or 0
    redis.call('ZADD', FLOWS .. queue, math.max(now, before), flow)
  end
  redis.call('HINCRBY', QUEUED .. queue, 'flowing', 1)
  if priority ~= '' then redis.call('HINCRBY', QUEUED .. queue, 'prioritized', 1) end
end

-- A position in the queue for a message behind `ahead` others of its flow, if all flows that wait
-- take turns; `waiting` is how many messages wait in all.
local function place_of(queue, ahead, waiting)
  local many = redis.call('ZCARD', FLOWS .. queue) + 1
  return math.min((ahead + 1) * many, waiting + 1)
end

-- The lists of the shared flow, and of up to so many others.
local function lists_in(queue, most)
  local lists = lists_of(queue, '')
  for _, flow in ipairs(redis.call('ZRANGE', FLOWS .. queue, 0, most - 1)) do
    for _, list in ipairs(lists_of(queue, flow)) do lists[#lists + 1] = list end
  end
  return lists
end
