-- What scripts share that move a job on: a library, put in front of them with the key layout and
-- the queue's messages. ARGV[1] is the job's id.
-- The job's hash: order, message (of any step), status, a time per status, and expires_at; facts,
-- report, total, chunks and most_failures once it is validated; next (the chunk that is pushed
-- next; all before it are settled or fly), succeeded, failed, settled_at, busy and drained (the pace); output (its fingerprint); error.
-- A step flies from its push until it is settled or dropped; its message waits, or a worker holds it.
local ENDED = {
  completed = true, completed_with_errors = true, failed = true, cancelled = true, expired = true,
}
local BULK = 'bulk'
local job = JOB .. ARGV[1]
local chunks, flying = job .. ':chunks', job .. ':flying'

local function stamp(seconds)
  return string.format('%.6f', seconds)
end

local function enter(status)
  local at = (ENDED[status] and 'ended' or status) .. '_at'
  redis.call('HSET', job, 'status', status, at, stamp(clock()))
  redis.call(ENDED[status] and 'SREM' or 'SADD', JOBS_LIVE, ARGV[1])
  if ENDED[status] then
    redis.call('HSET', job, 'expires_at', stamp(clock() + JOB_TTL))
  end
end

local function forget()
  redis.call('ZREM', JOBS, ARGV[1])
  redis.call('SREM', JOBS_LIVE, ARGV[1])
  redis.call('DEL', job, chunks, flying)
end

local function message_of(step)
  return (string.gsub(redis.call('HGET', job, 'message'), '@STEP@', step))
end

-- To the end of the queue, so that jobs take turns; what a job begins and ends with goes before.
local function push(step, before)
  local message = message_of(step)
  if redis.call('LLEN', BULK) == 0 then redis.call('HDEL', QUEUED .. BULK, 'rows', 'bytes') end
  redis.call('HSET', flying, step, 0)
  redis.call(before and 'RPUSH' or 'LPUSH', BULK, message)
  redis.call('HINCRBY', QUEUED .. BULK, 'rows', 1)
  redis.call('HINCRBY', QUEUED .. BULK, 'bytes', #message)
end

-- Whether a step is still to be done.
local function is_due(step)
  local status = redis.call('HGET', job, 'status')
  local wanted = ({ validate = 'validating', finalize = 'finalizing' })[step]
  if wanted then return status == wanted end
  return (status == 'queued' or status == 'running') and redis.call('HEXISTS', chunks, step) == 0
end

-- Chunks of a job that may fly: two for each process that computes jobs now.
local function window()
  local processes = 0
  for _, worker in ipairs(redis.call('ZRANGEBYSCORE', WORKERS_SEEN, clock() - SILENCE, '+inf')) do
    local told = redis.call('HGET', WORKERS, worker)
    local described = told and cjson.decode(told) or {}
    for _, queue in ipairs(described.queues or {}) do
      if queue == BULK then processes = processes + described.processes end
    end
  end
  return 2 * math.max(processes, 1)
end

-- Up to so many chunks that are not settled and do not fly.
local function push_next(many, before)
  local state = redis.call('HMGET', job, 'next', 'chunks')
  local n, last = tonumber(state[1]), tonumber(state[2])
  while many > 0 and n < last do
    if redis.call('HEXISTS', chunks, n) == 0 and redis.call('HEXISTS', flying, n) == 0 then
      push(n, before)
      many, before = many - 1, false
    end
    n = n + 1
  end
  redis.call('HSET', job, 'next', n)
end

-- A chunk that flies no more is looked for again from here on, so that nothing before it need be.
local function revisit(step)
  local n, next = tonumber(step), tonumber(redis.call('HGET', job, 'next') or nil)
  if n and next and n < next then redis.call('HSET', job, 'next', n) end
end

-- Where the messages of these steps wait: message → its places, by one walk over the queue.
local function waiting(steps)
  local wanted, found = {}, {}
  for _, step in ipairs(steps) do wanted[message_of(step)] = true end
  local length = #steps > 0 and redis.call('LLEN', BULK) or 0
  for first = 0, length - 1, 1000 do
    for n, message in ipairs(redis.call('LRANGE', BULK, first, first + 999)) do
      if wanted[message] then
        found[message] = found[message] or {}
        table.insert(found[message], first + n - 1)
      end
    end
  end
  return found
end

-- What flies by the books alone does so no more, as after a purge of the queue; gives how many.
-- `found` are the messages that wait.
local function forget_lost(steps, found)
  local held, lost = {}, 0
  for _, tag in ipairs(#steps > 0 and redis.call('HKEYS', RESERVED) or {}) do
    if string.find(tag, BULK .. ':', 1, true) == 1 then
      held[redis.call('HGET', RESERVED, tag)] = true
    end
  end
  for _, step in ipairs(steps) do
    local message = message_of(step)
    if not held[message] and not found[message] then
      lost = lost + redis.call('HDEL', flying, step)
      revisit(step)
    end
  end
  return lost
end

-- Takes the messages of a job from the queue; those that workers hold go on flying.
local function ground()
  local steps = redis.call('HKEYS', flying)
  local found, any = waiting(steps), false
  for message, places in pairs(found) do
    any = true
    for _, place in ipairs(places) do redis.call('LSET', BULK, place, '') end
    redis.call('HINCRBY', QUEUED .. BULK, 'rows', -1)
    redis.call('HINCRBY', QUEUED .. BULK, 'bytes', 0 - #message)
  end
  if any then redis.call('LREM', BULK, 0, '') end
  forget_lost(steps, {})
end

-- A step flies no more, and its message is gone.
local function drop(step, tag)
  redis.call('ZREM', DUE, tag)
  redis.call('HDEL', RESERVED, tag)
  redis.call('HDEL', ATTEMPTS, ARGV[1] .. '.' .. step)
  redis.call('HDEL', flying, step)
end

-- A job that is to be cancelled is so once nothing of it flies.
local function land()
  if redis.call('HGET', job, 'status') == 'cancelling' and redis.call('HLEN', flying) == 0 then
    enter('cancelled')
  end
end

-- Stops a job for good, unless it is stopped already.
local function fail(error)
  local status = redis.call('HGET', job, 'status')
  if not ENDED[status] and status ~= 'cancelling' then
    redis.call('HSET', job, 'error', error)
    enter('failed')
    ground()
  end
end

-- When all chunks are settled, what remains is to put their parts together.
local function finalize_or_go_on(before)
  if redis.call('HLEN', chunks) == tonumber(redis.call('HGET', job, 'chunks')) then
    enter('finalizing')
    if redis.call('HEXISTS', flying, 'finalize') == 0 then push('finalize', true) end
  else
    push_next(window() - redis.call('HLEN', flying), before)
  end
end

local function tell()
  redis.call('PUBLISH', job, '')
end

-- A job that has taken longer than it may ends.
local function expire()
  local state = redis.call('HMGET', job, 'status', 'expires_at')
  if state[1] and not ENDED[state[1]] and tonumber(state[2]) < clock() then
    enter('expired')
    ground()
    tell()
  end
end
