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

-- The newest first, so that the oldest is the next to be taken; many at a time, since all of Redis
-- waits for it.
local function unpark(version)
  local parked = PARKED .. version
  repeat
    local messages, queues = redis.call('LRANGE', parked, 0, 999), {}
    for _, message in ipairs(messages) do
      local queue = queue_of(message)
      queues[queue] = queues[queue] or {}
      table.insert(queues[queue], message)
    end
    for queue, theirs in pairs(queues) do give_back(queue, unpack(theirs)) end
    redis.call('LTRIM', parked, 1000, -1)
  until #messages == 0
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
