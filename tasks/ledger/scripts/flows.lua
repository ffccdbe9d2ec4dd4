-- Shared by scripts that put messages into flows, or look at what waits. Needs messages.
-- A flow is what waits of one caller with a key, on a list of its own. All other messages are the
-- shared flow, on the list of the queue itself, which workers watch: so that list is never empty
-- while a flow waits. FLOWS has the virtual time of each flow that waits; see turns.lua.
local function flow_list(queue, flow)
  return FLOW .. queue .. ':' .. flow
end

-- How many messages wait in flows.
local function flowing(queue)
  return tonumber(redis.call('HGET', QUEUED .. queue, 'flowing') or 0)
end

local function add_to_flow(queue, flow, message)
  if redis.call('LPUSH', flow_list(queue, flow), message) == 1 then
    -- Time in which it had nothing to wait for is not saved up, but what it had beyond its share is
    -- still charged.
    local now = redis.call('HGET', QUEUED .. queue, 'virtual') or 0
    local before = redis.call('ZSCORE', IDLE_FLOWS .. queue, flow) or 0
    redis.call('ZADD', FLOWS .. queue, math.max(now, before), flow)
  end
  redis.call('HINCRBY', QUEUED .. queue, 'flowing', 1)
end

-- A position in the queue for a message behind `ahead` others of its flow, if all flows that wait
-- take turns; `waiting` is how many messages wait in all.
local function place_of(queue, ahead, waiting)
  local many = redis.call('ZCARD', FLOWS .. queue) + 1
  return math.min((ahead + 1) * many, waiting + 1)
end

-- The oldest messages of up to so many flows.
local function heads_of_flows(queue, most)
  local heads = {}
  for _, flow in ipairs(redis.call('ZRANGE', FLOWS .. queue, 0, most - 1)) do
    heads[#heads + 1] = redis.call('LINDEX', flow_list(queue, flow), -1)
  end
  return heads
end
