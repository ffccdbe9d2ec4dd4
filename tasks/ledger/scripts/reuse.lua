-- Shared by scripts that let predictions reuse the answer of another one, their leader, whose rows,
-- version and method are the same. Needs messages, pausing, outcomes and storing.
-- The functions are made by a call, since most calls of these scripts reuse nothing.
local function reuse_functions(ttl)
  -- The predictions in an outcome as JSON, and what follows them; nil for anything but a success.
  local function answer_in(outcome)
    if string.sub(outcome, 1, #SUCCEEDED_HEAD) ~= SUCCEEDED_HEAD then return end
    -- The first `"result":` and the last `,"traceback":` are those of the record itself: what stands
    -- outside of the predictions are names and numbers.
    return string.match(outcome, '"result":(.*)(,"traceback":.*)$')
  end

  -- The outcome of an open record, from the answer in the outcome of its leader. `queued`:
  -- milliseconds until it had the answer. `done_at`: when that was; nil for when the leader had it.
  local function outcome_with(record, predictions, rest, queued, done_at)
    local own = string.match(record, '"task_id":.-"result":')
    local alias = string.match(own, '"alias":([^,]*),')
    local told = '"alias":' .. alias .. ',"attempt":1,"queue_ms":' .. queued .. ',"cached":true'
    -- By functions, as a text could hold a %.
    rest = string.gsub(rest, '"alias":[^,]*,"attempt":%d+,"queue_ms":[^,]*', function() return told end, 1)
    if done_at then
      rest = string.gsub(rest, '"date_done":"[^"]*"', function() return '"date_done":"' .. done_at .. '"' end, 1)
    end
    return SUCCEEDED_HEAD .. ',' .. own .. predictions .. rest
  end

  local function note_stored_of(message, outcome)
    local tenant = tenant_of(message)
    if tenant then note_stored(tenant, #outcome, ttl) end
  end

  -- Note that a prediction waits for its leader, and keep its message; false if too much is kept.
  local function join(leader, id, message, now)
    local key = JOINED .. leader
    local many = redis.call('HLEN', key)
    if #message > MAX_JOINED_BYTES or many >= MAX_JOINED then return false end
    if many == 0 and redis.call('ZCARD', LEADERS) >= MAX_LEADERS then return false end
    redis.call('HSET', key, id, message)
    redis.call('ZADD', LEADERS, 'NX', now, leader)
    return true
  end

  -- Whether an answer that cost so many milliseconds may be reused after so many seconds.
  local function is_fresh(age, seconds, cost)
    if seconds > 0 then return age <= seconds end
    return age <= math.min(math.max(60 * cost, 60), MAX_REUSE_SECONDS)
  end

  -- The outcome of a prediction with the answer that its leader has; nil if that is too old or long.
  local function reused(reuse, record, leader, outcome, version)
    if #outcome > MAX_REUSED_BYTES then return end
    local predictions, rest = answer_in(outcome)
    local cost = tonumber(rest and string.match(rest, '"compute_ms":([%d.e+-]+)'))
    local age = ttl - redis.call('PTTL', RECORD .. leader) / 1000
    if not cost or not is_fresh(age, reuse.seconds, cost) then return end
    local statistics = REUSE .. version
    redis.call('HINCRBY', statistics, 'hits', 1)
    redis.call('HINCRBY', statistics, 'bytes', #predictions)
    redis.call('HINCRBYFLOAT', statistics, 'ms', cost)
    return outcome_with(record, predictions, rest, '0.0', reuse.done_at)
  end

  -- Let a prediction have the answer of its leader, now or once the leader has it: what accept.lua
  -- answers; nil if there is none to wait for.
  local function answer(reuse, record, message, id)
    local leader, since = string.match(redis.call('GET', reuse.key) or '', '^(%S+) (%S+)$')
    if not leader then return end
    -- One byte more than allowed tells that it is too long. A key of another type has no answer.
    local known = redis.pcall('GETRANGE', RECORD .. leader, 0, MAX_REUSED_BYTES)
    if type(known) ~= 'string' then return end
    local version, now = version_of(message), clock()
    if head_of(known) then
      if now - since > JOIN_SECONDS or entry_of(version) then return end -- of a pause: it may be parked
      if not join(leader, id, message, now) then return end
      redis.call('SET', RECORD .. id, record)
      return { 'joined', leader, string.match(known, ',"traceparent":"([%x-]+)"') or '' }
    end
    local outcome = reused(reuse, record, leader, known, version)
    if not outcome then return end
    redis.call('SET', RECORD .. id, outcome, 'EX', ttl)
    note_stored_of(message, outcome)
    add_event(id, 'succeeded', version)
    return { 'reused', #outcome <= MAX_PUBLISHED and outcome or '' }
  end

  -- Note that a prediction is computed, so that others have its answer.
  local function lead(reuse, id, version)
    local seconds = reuse.seconds > 0 and reuse.seconds or MAX_REUSE_SECONDS
    redis.call('HINCRBY', REUSE .. version, 'misses', 1)
    -- Its computation takes a moment, too.
    redis.call('SET', reuse.key, id .. ' ' .. clock(), 'EX', math.ceil(seconds) + JOIN_SECONDS)
  end

  -- Give the predictions that joined a leader its answer; without one, their messages go to the
  -- queue. `outcome`: of the leader, nil if that is not to be waited for any more.
  local function release(leader, outcome, version)
    if redis.call('ZREM', LEADERS, leader) == 0 then return end
    local joined, predictions, rest = redis.call('HGETALL', JOINED .. leader), nil, nil
    redis.call('DEL', JOINED .. leader)
    if outcome and #outcome <= MAX_PUBLISHED then predictions, rest = answer_in(outcome) end
    local counts = { joined = 0, misses = 0 }
    for n = 1, #joined, 2 do
      local id, message = joined[n], joined[n + 1]
      local key = RECORD .. id
      local record = record_of(key)
      local is_open = record and head_of(record) -- else it was cancelled or has expired
      if is_open and predictions then
        local accepted_at = string.match(record, '"created_at":([%d.e+]+)')
        local queued = string.format('%.3f', math.max(clock() - accepted_at, 0) * 1000)
        local own = outcome_with(record, predictions, rest, queued)
        redis.call('SET', key, own, 'EX', ttl)
        note_stored_of(message, own)
        publish(key, id, own, 'succeeded', version)
        counts.joined = counts.joined + 1
      elseif is_open then
        give_back(queue_of(message), message)
        counts.misses = counts.misses + 1
      end
    end
    for field, count in pairs(counts) do
      if count > 0 then redis.call('HINCRBY', REUSE .. version_of(joined[2]), field, count) end
    end
  end

  return { answer = answer, lead = lead, release = release }
end
