-- Used by accept.lua: hands a message over to an idle worker, which saves it the way over the queue.
-- Needs messages, tags and attempts.
-- An idle worker that holds a version; nil if there is none. Entries of ended workers that it
-- meets are deleted.
local function idle_worker(queue, version)
  local idle = redis.call('HGETALL', IDLE .. queue)
  for n = 1, #idle, 2 do
    local worker, seen = idle[n], redis.call('ZSCORE', WORKERS_SEEN, idle[n])
    -- A stuck worker sends no heartbeats. A message for it would wait until its reservation ends.
    if not seen or clock() - seen > MAX_HEARTBEAT_AGE then
      redis.call('HDEL', IDLE .. queue, worker)
    elseif string.find(idle[n + 1], ' ' .. version .. ' ', 1, true) then
      redis.call('HDEL', IDLE .. queue, worker) -- the worker notes itself again once it is idle
      return worker
    end
  end
end

-- Reserve and start a message at once, and send it to an idle worker; false if there is none.
local function hand_over(queue, queued, message, id)
  local version = version_of(message)
  -- The worker is told no queue deadline, so a message that has one takes the way over the queue.
  if #message > MAX_PUBLISHED or string.find(message, '"expires":', 1, true) then return false end
  local worker = version and idle_worker(queue, version)
  if not worker then return false end
  local tag = tag_of(queue, redis.call('HINCRBY', queued, 'reserved', 1))
  -- No subscriber received it: the worker ended since it was noted as idle.
  if redis.call('PUBLISH', HANDED .. worker, tag .. ' ' .. message) == 0 then return false end
  redis.call('HSET', RESERVED, tag, message)
  redis.call('ZADD', DUE, clock() + VISIBILITY_TIMEOUT, tag)
  redis.call('HSET', ATTEMPTS, id, started_attempts(1))
  redis.call('HINCRBY', queued, 'taken', 1)
  return true
end
