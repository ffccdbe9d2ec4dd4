-- Uses: messages, tags, attempts, pausing, in_flight, outcomes, ledger.tenants.storing, reuse, limiting, ledger.tenants.quotas, handing, flows, turns
-- Accept predictions, each by itself: bound the queue, write the queued record, push the message.
-- A lone one is handed over to a worker that has nothing to do: then it is reserved and started, too.
-- KEYS: queue, its hash of counts, the record of each, and where idempotency keys were given, the
--       key of each.
-- ARGV: how many predictions, most rows and most bytes the queue may hold, seconds to keep outcomes
--       and idempotency keys, limits of the key of the caller as in limiting.lua, if there are any,
--       quotas of its tenant as in quotas.lua, if there are any, its flow, if it has one; then for
--       each: record, message, id, its rows, fingerprint of its payload, webhook and priority (empty for
--       none); then for each that may reuse an answer: its index, answer key, seconds for which
--       an answer is reused (0: by what it cost), the time of now as text.
-- Returns for each the id that was accepted, now or before under the same key; { "reused", outcome }
-- if it has its outcome at once, whose text is empty if it is long; { "joined" }, the id of its
-- leader and the traceparent of that, perhaps empty, if it waits for another one's answer; or a refusal:
-- { "limited" } of limiting.lua; { "quota" } of quotas.lua; { "webhooks" } if there are too many of them;
-- { "full" } and, if the drain rate is known, the seconds until there is capacity; { "conflict" }
-- if the key came with another payload; or that of a paused version, see refusal().
-- Behind them, if there are limits: what is left of each, see left().
local queue, queued = unpack(KEYS, 1, 2)
local many, most_rows, most_bytes, ttl, limits, quotas, flow = unpack(ARGV, 1, 7)
many, most_rows, most_bytes = tonumber(many), tonumber(most_rows), tonumber(most_bytes)
local function keys_at(i) return KEYS[2 + i], KEYS[2 + many + i] end
local function offer_at(i) return unpack(ARGV, 7 * i + 1, 7 * i + 7) end
-- Loaded a second time without `reuse`, as its functions take a tenth of the time of a call.
local reuses, reusing = {}, reuse_functions and reuse_functions(ttl)
for at = 7 * many + 8, #ARGV, 4 do
  local index, answer_key, seconds, done_at = unpack(ARGV, at, at + 3)
  reuses[tonumber(index)] = { key = ANSWERS .. answer_key, seconds = tonumber(seconds), done_at = done_at }
end

local limited = limits ~= '' and limiter(limits)
local quota = quotas ~= '' and quotas_of(quotas, queue, ttl)

-- No other script admits submissions, so what is read once holds until the end of this one.
local may_be_paused = redis.call('EXISTS', PAUSED) == 1
local waiting, taken
local own, ahead -- how many messages wait on the queue's own list, and in front in the flow
local is_fair -- whether workers take messages from flows

-- Read the queue before the first prediction that is new: a repeated one must write nothing.
local function read_queue()
  if waiting then return end
  local noted = redis.call('HMGET', queued, 'taken', 'flowing', 'fair')
  own = redis.call('LLEN', queue)
  taken, waiting = noted[1] or 0, own + (noted[2] or 0)
  is_fair = noted[3] -- workers of an earlier release do not
  if not is_fair then flow = '' end
  ahead = flow == '' and own or redis.call('LLEN', flow_list(queue, flow))
  if waiting == 0 then -- a purge of the list leaves the counts behind
    -- Set, not delete: a script that deletes first may go on to write to a full Redis.
    redis.call('HSET', queued, 'rows', 0, 'bytes', 0)
    if quota then quota.start_over() end
  end
end

-- Take capacity, or say why there is none.
local function bounded(rows_added, bytes_added)
  local rows = redis.call('HINCRBY', queued, 'rows', rows_added)
  local bytes = redis.call('HINCRBY', queued, 'bytes', bytes_added)
  if rows <= most_rows and bytes <= most_bytes then return end
  redis.call('HINCRBY', queued, 'rows', 0 - rows_added)
  redis.call('HINCRBY', queued, 'bytes', 0 - bytes_added)
  local drain = redis.call('HMGET', queued, 'drained', 'busy', 'marked')
  if not drain[1] then return { 'full' } end
  -- The share of the queue that has to leave before this fits.
  local over = math.max(
    (rows - most_rows) / math.max(rows - rows_added, 1),
    (bytes - most_bytes) / math.max(bytes - bytes_added, 1)
  )
  -- Count the time since messages were last taken: the estimate grows while no worker takes any.
  local busy = drain[2] + math.max(clock() - drain[3], 0)
  return { 'full', math.ceil(waiting * math.min(over, 1) * busy / drain[1]) }
end

local function remember(idempotency_key, id, fingerprint)
  if not idempotency_key then return end
  redis.call('HSET', idempotency_key, 'id', id, 'fingerprint', fingerprint)
  redis.call('EXPIRE', idempotency_key, ttl)
end

-- Its number among all messages that ever entered the queue; `taken` grows towards it as others
-- leave.
local function next_number()
  if waiting == ahead then return taken + waiting + 1 end
  return taken + place_of(queue, ahead, waiting)
end

local function push(message, priority)
  local is_plain = flow == '' and (priority == '' or not is_fair)
  if is_plain or waiting == 0 then
    redis.call('LPUSH', queue, message)
    -- It is taken first, and the shared flow is not charged for it.
    if not is_plain then redis.call('HSET', queued, 'charged', 1) end
  else
    add_to_flow(queue, flow, priority, message)
  end
  ahead = ahead + 1
end

local function accept(i)
  local record_key, idempotency_key = keys_at(i)
  local record, message, id, rows_added, fingerprint, webhook, priority = offer_at(i)
  -- First of all: a caller that repeats a submission gets its id, even if the queue is full by now,
  -- or the version paused.
  if idempotency_key then
    local before = redis.call('HMGET', idempotency_key, 'id', 'fingerprint')
    if before[1] then
      return before[2] == fingerprint and before[1] or { 'conflict' }
    end
  end
  if redis.call('EXISTS', record_key) == 1 then -- the same call, repeated as its answer was lost
    return id
  end
  local beyond = limited and limited.refusal(rows_added)
  if beyond then return beyond end
  local too_much = quota and quota.stored_refusal()
  if too_much then return too_much end
  -- An answer that there is needs neither a worker nor capacity of the queue, but memory.
  local reuse = reuses[i]
  local answer = reuse and most_rows > 0 and reusing.answer(reuse, record, message, id)
  if answer then
    if limited then
      limited.take(rows_added)
      if answer[1] == 'joined' then limited.hold(id) end
    end
    remember(idempotency_key, id, fingerprint)
    return answer
  end
  local version, entry, why, now
  if may_be_paused then
    version = version_of(message)
    entry, why = entry_of(version)
    if entry then
      now = clock()
      -- With no parked message that could be the probe, this submission becomes the probe.
      if not entry.probe_at or now < entry.probe_at or redis.call('EXISTS', PARKED .. version) == 1 then
        return refusal(entry, why, now)
      end
    end
  end
  if webhook ~= '' and redis.call('HLEN', WEBHOOKS) >= MAX_WEBHOOKS then return { 'webhooks' } end
  read_queue()
  local is_lone = many == 1 and waiting == 0 and not entry
  local fits = tonumber(rows_added) <= most_rows and #message <= most_bytes
  local is_handed = is_lone and fits and hand_over(queue, queued, message, id)
  too_much = quota and not is_handed and quota.queued_refusal(rows_added)
  if too_much then return too_much end
  local full = not is_handed and bounded(rows_added, #message)
  if full then return full end
  local numbered = string.sub(record, 1, -2) .. ',"number":' .. next_number() .. '}'
  redis.call('SET', record_key, is_handed and in_state(RUNNING_HEAD, numbered) or numbered)
  remember(idempotency_key, id, fingerprint)
  if webhook ~= '' then redis.call('HSET', WEBHOOKS, id, webhook) end
  if limited then
    limited.take(rows_added)
    limited.hold(id)
  end
  if reuse then reusing.lead(reuse, id, version_of(message)) end
  if not is_handed then push(message, priority) end
  waiting = waiting + 1
  if quota and not is_handed then quota.take(queued, message) end
  if is_deployed(queue) then redis.call('SADD', DEPLOYED_QUEUES, queue) end
  -- Last: a submission that is refused for the size of the queue must not become the probe.
  if entry then send_probe(version, entry, id, now) end
  return id
end

local answers = {}
for i = 1, many do answers[i] = accept(i) end
-- A worker of an earlier release, or a purge, has emptied the list that workers watch.
if own == 0 and waiting > 1 and redis.call('LLEN', queue) == 0 then turns_of(queue, 0).finish(MOVED_FLOWS) end
if limited then answers[many + 1] = limited.left() end
return answers
