-- Shared by scripts of jobs: a library, put in front of them with the key layout, messages.lua,
-- tags.lua and webhooks/scripts/events.lua. Each script says with `use_job` which job it is about.
-- Fields of the job's hash: order (the job request), message (for any step), status, a time per
-- status, expires_at; after validation facts, report, total, chunks, most_failures (only if there is
-- a limit; earlier releases stored -1 for none); next (all chunks before it are settled, in flight
-- or to be revisited), succeeded, failed, settled_at, busy and drained (the rate), output (its
-- fingerprint), error; key (that of its idempotency key, deleted with the job); revisits (present if
-- each chunk before next is settled, in flight or in the set of the same name) and searched (how far
-- resume.lua has looked for those that are not, in jobs of earlier releases).
-- A step is in flight from its push until it is settled or dropped: queued, or reserved by a worker.
-- The hash of these steps, `in_flight`, has `:flying` in its key, as earlier releases stored it.
local ENDED = {
  completed = true, completed_with_errors = true, failed = true, cancelled = true, expired = true,
}
local BULK = 'bulk'
local job_id, job, chunks, in_flight, revisits
-- Set what the other functions are about.
local function use_job(id)
  job_id, job = id, JOB .. id
  chunks, in_flight, revisits = job .. ':chunks', job .. ':flying', job .. ':revisits'
end

-- An argument that may be absent: empty then.
local function optional(argument)
  return argument ~= '' and argument or nil
end

local function stamp(seconds)
  return string.format('%.6f', seconds)
end

local EVENT_OF = {
  completed = 'completed', completed_with_errors = 'completed', failed = 'failed',
  expired = 'failed', cancelled = 'cancelled',
}

-- Record that the job has ended for its webhook, which its job request names.
local function tell_end(status)
  local request = redis.call('HGET', job, 'order')
  if not string.find(request, '"webhook":{', 1, true) then return end
  request = cjson.decode(request)
  if request.dry_run then return end
  local version = request.model .. ':' .. string.format('%d', request.version)
  local target = request.webhook
  record_event(job_id, target, 'batch.' .. EVENT_OF[status], version)
  -- Counted among the webhooks until the event is delivered.
  redis.call('HSET', WEBHOOKS, job_id, cjson.encode(target))
  drop_webhook(job_id)
end

-- Set the status with its time, and what follows from it: whether the job is live, when it expires.
local function set_status(status)
  local at = (ENDED[status] and 'ended' or status) .. '_at'
  redis.call('HSET', job, 'status', status, at, stamp(clock()))
  redis.call(ENDED[status] and 'SREM' or 'SADD', JOBS_LIVE, job_id)
  if ENDED[status] then
    redis.call('HSET', job, 'expires_at', stamp(clock() + JOB_TTL))
    tell_end(status)
  end
end

local function delete_job()
  local key = redis.call('HGET', job, 'key')
  if key and redis.call('HGET', key, 'id') == job_id then redis.call('DEL', key) end
  redis.call('ZREM', JOBS, job_id)
  redis.call('SREM', JOBS_LIVE, job_id)
  redis.call('DEL', job, chunks, in_flight, revisits)
end

-- The task id of a step.
local function id_of_step(step)
  return job_id .. '.' .. step
end

local function message_of(step)
  return (string.gsub(redis.call('HGET', job, 'message'), '@STEP@', step))
end

-- Queue a step, last, so that jobs take turns; a job's first chunk and finalizing go first.
local function push(step, before)
  local message = message_of(step)
  -- A purge of the list leaves the counts behind.
  if redis.call('LLEN', BULK) == 0 then redis.call('HDEL', QUEUED .. BULK, 'rows', 'bytes') end
  redis.call('HSET', in_flight, step, 0) -- no rows yet: it waits
  redis.call(before and 'RPUSH' or 'LPUSH', BULK, message)
  redis.call('HINCRBY', QUEUED .. BULK, 'rows', 1)
  redis.call('HINCRBY', QUEUED .. BULK, 'bytes', #message)
end

-- Whether a step still has to be done.
local function is_due(step)
  local status = redis.call('HGET', job, 'status')
  local wanted = ({ validate = 'validating', finalize = 'finalizing' })[step]
  if wanted then return status == wanted end
  return (status == 'queued' or status == 'running') and redis.call('HEXISTS', chunks, step) == 0
end

-- How many chunks of a job may be in flight: two for each process that computes batch jobs now.
local function most_in_flight()
  local processes = 0
  for _, worker in ipairs(redis.call('ZRANGEBYSCORE', WORKERS_SEEN, clock() - SILENCE, '+inf')) do
    local told = redis.call('HGET', WORKERS, worker)
    local described = told and cjson.decode(told) or {}
    for _, queue in ipairs(described.queues or {}) do
      if queue == BULK then processes = processes + described.processes end
    end
  end
  -- Two: one is computed while the next waits, so that no process idles; few, so that jobs take
  -- turns.
  return 2 * math.max(processes, 1)
end

-- Push up to so many chunks that are neither settled nor in flight: first those to be revisited, of
-- which there are no more than have been in flight, so that no call walks over settled chunks.
local function push_next(many, before)
  local state = redis.call('HMGET', job, 'next', 'chunks')
  local next, last = tonumber(state[1]), tonumber(state[2])
  while many > 0 do
    local n = tonumber(redis.call('ZPOPMIN', revisits)[1])
    if not n then
      if next == last then break end
      n, next = next, next + 1
    end
    -- A chunk to be revisited may have been settled since, by a worker that was frozen.
    if redis.call('HEXISTS', chunks, n) == 0 and redis.call('HEXISTS', in_flight, n) == 0 then
      push(n, before)
      many, before = many - 1, false
    end
  end
  redis.call('HSET', job, 'next', next)
end

-- Note a chunk that is no longer in flight, so that it is pushed again.
local function revisit(step)
  local n, next = tonumber(step), tonumber(redis.call('HGET', job, 'next') or nil)
  if n and next and n < next then redis.call('ZADD', revisits, n, n) end
end

-- Positions in the queue of the messages of these steps, by message, from a single walk.
local function positions_of(steps)
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

-- Clear the steps whose messages no longer exist, as after a purge of the queue; returns how many.
-- `found` holds the messages that wait.
local function drop_lost(steps, found)
  local reserved, lost = {}, 0
  for _, tag in ipairs(#steps > 0 and redis.call('HKEYS', RESERVED) or {}) do
    if queue_of_tag(tag) == BULK then
      reserved[redis.call('HGET', RESERVED, tag)] = true
    end
  end
  for _, step in ipairs(steps) do
    local message = message_of(step)
    if not reserved[message] and not found[message] then
      lost = lost + redis.call('HDEL', in_flight, step)
      revisit(step)
    end
  end
  return lost
end

-- Remove a job's waiting messages from the queue; steps that workers have
-- reserved stay in flight.
local function remove_waiting()
  local steps = redis.call('HKEYS', in_flight)
  local found, any = positions_of(steps), false
  for message, positions in pairs(found) do
    any = true
    -- Marked first, then removed in one walk: LREM of each message would walk the whole queue
    -- again.
    for _, at in ipairs(positions) do redis.call('LSET', BULK, at, '') end
    -- A message that stands there more than once was counted as often.
    redis.call('HINCRBY', QUEUED .. BULK, 'rows', 0 - #positions)
    redis.call('HINCRBY', QUEUED .. BULK, 'bytes', 0 - #positions * #message)
  end
  if any then redis.call('LREM', BULK, 0, '') end
  drop_lost(steps, {})
end

-- Drop the message of a step, which is no longer in flight.
local function drop(step, tag)
  redis.call('ZREM', DUE, tag)
  redis.call('HDEL', RESERVED, tag)
  redis.call('HDEL', ATTEMPTS, id_of_step(step))
  redis.call('HDEL', in_flight, step)
end

-- Complete a cancellation once no step of the job is in flight.
local function complete_cancellation()
  if redis.call('HGET', job, 'status') == 'cancelling' and redis.call('HLEN', in_flight) == 0 then
    set_status('cancelled')
  end
end

-- Whether so many bad rows are more than the job may have.
local function are_too_many(failed)
  local most = tonumber(redis.call('HGET', job, 'most_failures') or nil)
  return most and most >= 0 and tonumber(failed) > most
end

-- Fail a job, unless it has ended or is being cancelled.
local function fail(error)
  local status = redis.call('HGET', job, 'status')
  if not ENDED[status] and status ~= 'cancelling' then
    redis.call('HSET', job, 'error', error)
    set_status('failed')
    remove_waiting()
  end
end

-- Finalize the job if all chunks are settled, else push further ones.
local function finalize_or_go_on(before)
  if redis.call('HLEN', chunks) == tonumber(redis.call('HGET', job, 'chunks')) then
    set_status('finalizing')
    -- After a resume a worker may still hold the step of before.
    if redis.call('HEXISTS', in_flight, 'finalize') == 0 then push('finalize', true) end
  else
    push_next(most_in_flight() - redis.call('HLEN', in_flight), before)
  end
end

-- Wake the callers that wait for the job or follow its events.
local function publish_change()
  redis.call('PUBLISH', job, '')
end

-- Expire a job that has exceeded its time.
local function expire()
  local state = redis.call('HMGET', job, 'status', 'expires_at')
  if state[1] and not ENDED[state[1]] and tonumber(state[2]) < clock() then
    set_status('expired')
    remove_waiting()
    publish_change()
  end
end
