-- Shared by scripts that handle pauses: a library, put in front of them with the key layout.
-- A version is paused while it has an entry in PAUSED. An entry with `probe_at` can end by itself:
-- after that time one message, the probe, is let through, and its outcome decides.
local function entry_of(version)
  local text = redis.call('HGET', PAUSED, version)
  return text and cjson.decode(text) or nil, text
end

-- A script's answer to a refused submission: "paused", the seconds until the next probe, the pause.
local function refusal(entry, why, now)
  return { 'paused', math.ceil(math.max((entry.probe_at or 0) - now, 1)), why }
end

local function note(version, entry)
  -- A version that is paused again keeps parked what has not been given back yet.
  redis.call('HDEL', UNPARKING, version)
  redis.call('HSET', PAUSED, version, cjson.encode(entry))
end

-- After the timeout another probe follows: this one may be lost, for example by a purge.
local function send_probe(version, entry, id, now)
  entry.probe, entry.probe_at = id, now + PROBE_TIMEOUT
  note(version, entry)
end

-- Park a message, unless it does not name its queue: it could not be given back later.
local function park(version, message, queue)
  if queue_of(message) ~= queue then return false end
  redis.call('LPUSH', PARKED .. version, message)
  return true
end

-- Give messages back to their queues; given newest first, so that the oldest is taken next. In
-- batches of a thousand, since Lua limits the arguments of a call to a few thousand.
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

-- How many messages ever left the queue's own list, less those that came back.
local function left_of(queue)
  local counts = redis.call('HMGET', QUEUED .. queue, 'taken', 'left_flows')
  return (counts[1] or 0) - (counts[2] or 0)
end

-- Give back one slice of parked messages, oldest first; Redis serves no other client meanwhile. The
-- next slice follows once this one was taken (`left_of` is back at its value from before), since
-- otherwise it would be taken before this one.
local function unpark(version)
  local parked = PARKED .. version
  local messages = redis.call('LRANGE', parked, 0 - SLICE, -1)
  redis.call('HDEL', UNPARKING, version) -- deleting first lets the script run on a full Redis
  redis.call('LTRIM', parked, 0, -1 - #messages)
  local queue = #messages > 0 and queue_of(messages[#messages])
  local taken = queue and left_of(queue) or 0
  give_all_back(messages)
  if redis.call('EXISTS', parked) == 1 then
    redis.call('HSET', UNPARKING, version, taken .. ' ' .. queue)
  end
end

local function unpark_more()
  local waiting = redis.call('HGETALL', UNPARKING)
  for i = 1, #waiting, 2 do
    local taken, queue = string.match(waiting[i + 1], '^(%S+) (.*)$')
    -- An empty queue: the slice was purged, so the count would never rise to its old value.
    if left_of(queue) >= tonumber(taken) or redis.call('LLEN', queue) == 0 then
      unpark(waiting[i])
    end
  end
end

-- Remember the wait for a while: a version that is soon paused again waits longer.
local function resume(version, wait)
  redis.call('HDEL', PAUSED, version)
  redis.call('DEL', TROUBLES .. version)
  if wait then
    redis.call('HSET', TROUBLES .. version, 'wait', wait)
    redis.call('EXPIRE', TROUBLES .. version, WAIT_REMEMBERED)
  end
  unpark(version)
end
