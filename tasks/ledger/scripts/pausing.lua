-- What scripts share that pause versions: a library, put in front of them with the key layout.
-- A version is paused while it has an entry in PAUSED. One with `probe_at` heals by itself: after
-- that moment one message, the probe, is let through, and its outcome decides.
local function entry_of(version)
  local text = redis.call('HGET', PAUSED, version)
  return text and cjson.decode(text) or nil, text
end

-- What a script says that refuses a submission: the seconds until it may be otherwise, and why.
local function refusal(entry, why, now)
  return 'paused ' .. math.ceil(math.max((entry.probe_at or 0) - now, 1)) .. ' ' .. why
end

local function note(version, entry)
  redis.call('HDEL', UNPARKING, version)
  redis.call('HSET', PAUSED, version, cjson.encode(entry))
end

-- Another may follow after a while: a probe can be lost with its queue.
local function send_probe(version, entry, id, now)
  entry.probe, entry.probe_at = id, now + PROBE_LEASE
  note(version, entry)
end

-- Only what says itself where it belongs can be given back later.
local function park(version, message, queue)
  if queue_of(message) ~= queue then return false end
  redis.call('LPUSH', PARKED .. version, message)
  return true
end

-- The newest of these first, so that the oldest is the next to be taken; a thousand at a time, since
-- Lua takes no more arguments than some thousand.
local function give_all_back(messages)
  for at = 1, #messages, 1000 do
    local queues = {}
    for i = at, math.min(at + 999, #messages) do
      local queue = queue_of(messages[i])
      queues[queue] = queues[queue] or {}
      table.insert(queues[queue], messages[i])
    end
    for queue, theirs in pairs(queues) do give_back(queue, unpack(theirs)) end
  end
end

-- A slice at a time, the oldest first, since all of Redis waits for it. The next one goes once this
-- one was taken: as many messages have left the queue then as had before. Else it would be taken
-- before this one.
local function unpark(version)
  local parked = PARKED .. version
  local messages = redis.call('LRANGE', parked, 0 - SLICE, -1)
  redis.call('HDEL', UNPARKING, version) -- a full Redis lets a script finish that removes first
  redis.call('LTRIM', parked, 0, -1 - #messages)
  local queue = #messages > 0 and queue_of(messages[#messages])
  local taken = queue and redis.call('HGET', QUEUED .. queue, 'taken') or 0
  give_all_back(messages)
  if redis.call('EXISTS', parked) == 1 then
    redis.call('HSET', UNPARKING, version, taken .. ' ' .. queue)
  end
end

local function unpark_more()
  local waiting = redis.call('HGETALL', UNPARKING)
  for i = 1, #waiting, 2 do
    local taken, queue = string.match(waiting[i + 1], '^(%S+) (.*)$')
    local now = redis.call('HGET', QUEUED .. queue, 'taken') or 0
    if tonumber(now) >= tonumber(taken) or redis.call('LLEN', queue) == 0 then
      unpark(waiting[i])
    end
  end
end

-- The wait is remembered for a while: a version that is soon paused again waits longer.
local function resume(version, wait)
  redis.call('HDEL', PAUSED, version)
  redis.call('DEL', TROUBLES .. version)
  if wait then
    redis.call('HSET', TROUBLES .. version, 'wait', wait)
    redis.call('EXPIRE', TROUBLES .. version, WAIT_REMEMBERED)
  end
  unpark(version)
end
