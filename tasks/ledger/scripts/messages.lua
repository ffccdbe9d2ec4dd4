-- Shared by scripts that read messages and records: a library, put in front of them with the key
-- layout. Any producer may have written what they read.
local function clock()
  local now = redis.call('TIME')
  return now[1] + now[2] / 1000000
end

-- At most nine digits, so that sums stay below 2^63, the limit of Redis's counters.
local function rows_of(message)
  return tonumber(string.match(message, '^{"headers":{"rows":(%d%d?%d?%d?%d?%d?%d?%d?%d?)[,}]'))
end

local function version_of(message)
  return string.match(message, '^{"headers":{"rows":%d+,"batch":"([^" ]+) ')
end

local function tenant_of(message)
  return string.match(message, '^{"headers":{"rows":%d+,"batch":"[^"]*","tenant":"([^"]*)"')
end

-- Count that the rows of a message entered a queue (1) or left it (-1) for its tenant, if it has one.
local function count_for_tenant(queue, message, sign)
  local tenant, rows = tenant_of(message), rows_of(message)
  if not tenant or not rows then return end
  local key = QUEUED_BY_TENANT .. queue
  if redis.call('HINCRBY', key, tenant, sign * rows) <= 0 then redis.call('HDEL', key, tenant) end
end

local function id_of(message)
  return string.match(message, '"id":%s*"([^"]*)"')
end

local function queue_of(message)
  local at = string.find(message, '"routing_key":', 1, true) -- plain search is much faster here
  return at and string.match(message, '^"routing_key":%s*"([^"]*)"', at)
end

-- Whether a queue is that of a deployment; see registry/deployments/deployment.py.
local function is_deployed(queue)
  return string.sub(queue, 1, 8) == 'predict:'
end

-- Return messages to the consuming end of their queue; the last one is the next to be taken.
local function give_back(queue, ...)
  local rows, bytes = 0, 0
  local by_tenant = redis.call('HGET', QUEUED .. queue, 'by_tenant')
  for _, message in ipairs({ ... }) do
    local told = rows_of(message)
    -- As counted when they left: reserve.lua leaves out messages that do not tell their rows.
    if told then rows, bytes = rows + told, bytes + #message end
    if by_tenant then count_for_tenant(queue, message, 1) end
  end
  redis.call('RPUSH', queue, ...)
  -- Positions are differences to this number, and the messages stand in front again.
  redis.call('HINCRBY', QUEUED .. queue, 'taken', 0 - select('#', ...))
  if bytes > 0 then
    redis.call('HINCRBY', QUEUED .. queue, 'rows', rows)
    redis.call('HINCRBY', QUEUED .. queue, 'bytes', bytes)
  end
end

-- The record under a key; nil if the key is missing or holds another type.
local function record_of(key)
  -- `pcall`, as an error would end the script between two writes, and Redis takes none of them
  -- back.
  local record = redis.pcall('GET', key)
  return type(record) == 'string' and record or nil
end

-- The first bytes of a record without an outcome; nil for an outcome. The first bytes are enough.
local function head_of(record)
  if string.sub(record, 1, #QUEUED_HEAD) == QUEUED_HEAD then return QUEUED_HEAD end
  if string.sub(record, 1, #RUNNING_HEAD) == RUNNING_HEAD then return RUNNING_HEAD end
  if string.sub(record, 1, #RETRYING_HEAD) == RETRYING_HEAD then return RETRYING_HEAD end
end

-- An open record in another open state.
local function in_state(head, record)
  return head .. string.sub(record, #head_of(record) + 1)
end

-- Whether an id of ours (a UUIDv7, which carries its time) is older than the time to live of
-- outcomes, so that a missing record means a forgotten outcome. False for stock producers' ids:
-- their predictions have no record before the outcome.
local function is_gone(id, now, ttl)
  local early, late = string.match(id, '^(%x%x%x%x%x%x%x%x)%-(%x%x%x%x)%-7')
  return early and tonumber(early .. late, 16) / 1000 + ttl < now
end

local function state_of(key)
  local record = redis.pcall('GETRANGE', key, 0, 60)
  return type(record) == 'string' and string.match(record, '"state":"(%l+)"') or nil
end
