-- Uses: messages, tags, pausing, breaking, webhooks.events, burying, in_flight, outcomes, ledger.tenants.storing, reuse, arms, ledger.tenants.counting
-- Write outcomes and drop their messages, in one step; the first outcome of each wins.
-- KEYS: reserved, due, attempts, statistics, and the record of each.
-- ARGV: time to live in seconds; 1 if a look-up expires a prediction: then only if it still waits;
--       what arms.lua counts, empty if no alias is split; what counting.lua counts, empty without
--       tenants; tags (empty for none), ids; then for each: outcome, state, rows, seconds from
--       acceptance, histogram bucket; then for each that leaves a dead letter: its index, the
--       letter without its end, code, reason, and 1 if a pause may park it instead.
-- Returns how many were written. Deleting comes first: a full Redis refuses only scripts whose
-- first write adds data.
local reserved, due, attempts, statistics = unpack(KEYS, 1, 4)
local ttl, by_look_up, arms, tenants, many = ARGV[1], ARGV[2] == '1', ARGV[3], ARGV[4], #KEYS - 4
local function record_key_at(i) return KEYS[4 + i] end
local function tags() return unpack(ARGV, 5, many + 4) end
local function tag_at(i) return ARGV[4 + i] end
local function id_at(i) return ARGV[4 + many + i] end
local function outcome_at(i) -- outcome, state, rows, seconds, bucket
  local before = 4 + 2 * many + 5 * (i - 1)
  return unpack(ARGV, before + 1, before + 5)
end
local many_dead = (#ARGV - 4 - 7 * many) / 5
local function dead_at(n) -- index, letter without its end, code, reason, whether it may be parked
  local before = 4 + 7 * many + 5 * (n - 1)
  local index, head, code, reason, may_park = unpack(ARGV, before + 1, before + 5)
  return tonumber(index), head, code, reason, may_park == '1'
end
-- One look for all four, as mostly there is none.
local reusing = redis.call('EXISTS', LEADERS, FOLLOWED, WEBHOOKS, IN_FLIGHT) > 0 and reuse_functions(ttl)
if not reusing then is_followed, has_webhooks, has_held = false, false, false end
local counts, seconds, written, finished, is_written = {}, 0, 0, {}, {}
local longest = math.max(#QUEUED_HEAD, #RUNNING_HEAD, #RETRYING_HEAD)
-- Whether the queue deadline lies ahead by Redis's clock, the only one that all share. A look-up,
-- which holds no message, has compared it with its own host's clock.
local function is_early(record)
  local deadline = string.match(record, '"queue_deadline":([%d.e+]+)')
  return deadline and tonumber(deadline) > clock()
end
local function is_open(key, id)
  -- The head alone: a record may hold megabytes of predictions.
  local record = redis.pcall('GETRANGE', key, 0, longest - 1)
  if record == '' then return not is_gone(id, clock(), ttl) end
  if type(record) == 'table' then return true end -- an error: the key holds another type
  local head = head_of(record)
  if head and by_look_up then return head ~= RUNNING_HEAD and not is_early(record_of(key)) end
  return head ~= nil
end
local function add(field, amount)
  counts[field] = (counts[field] or 0) + amount
end
local version, dead, now = string.sub(statistics, #STATISTICS + 1), {}, nil
-- The messages of dead letters are read before they are deleted below.
for n = 1, many_dead do
  local i, head, code, reason, may_park = dead_at(n)
  local message = redis.call('HGET', reserved, tag_at(i))
  dead[i] = { head = head, code = code, reason = reason, may_park = may_park, message = message }
  now = clock()
end
-- For outcomes that come too late as well: their messages must not be delivered again.
redis.call('ZREM', due, tags())
redis.call('HDEL', reserved, tags())
local entry = entry_of(version)
-- Park a failed message, with a queued record, if its version is paused: the version is at fault.
local parked = {}
local function waits(i)
  local id, tag, message = id_at(i), tag_at(i), dead[i].message
  if not (dead[i].may_park and entry and entry.probe ~= id) then return false end
  if queue_of(message) ~= queue_of_tag(tag) then return false end
  -- In reverse, as each is pushed below to the end of the oldest: they left the queue before what
  -- is parked there already.
  table.insert(parked, 1, message)
  -- Its attempts are forgotten: the version was at fault.
  finished[#finished + 1] = id
  local record = record_of(record_key_at(i))
  if record then redis.call('SET', record_key_at(i), in_state(QUEUED_HEAD, record)) end
  return true
end
for i = 1, many do
  local key, id = record_key_at(i), id_at(i)
  local outcome, state, rows, took, bucket = outcome_at(i)
  local open = is_open(key, id)
  if open and dead[i] and (not dead[i].message or waits(i)) then
    open = false -- parked, or another worker has taken the message and will settle it
  end
  if open then
    redis.call('SET', key, outcome, 'EX', ttl)
    publish(key, id, outcome, state, version)
    if reusing then reusing.release(id, outcome, version) end
    add(state, 1)
    add('rows', rows)
    seconds = seconds + took
    add(bucket, 1)
    finished[#finished + 1] = id
    written = written + 1
    is_written[i] = true
    if dead[i] then
      local died_at = string.format('%.6f', now)
      local tail = ',"died_at":' .. died_at .. ',"message":' .. cjson.encode(dead[i].message) .. '}'
      bury(id, dead[i].head .. tail, died_at)
      -- While a version is paused, only its probe decides.
      entry = entry or count_failure(version, dead[i], now)
    end
    tell_webhook(id, state, version)
    if entry and entry.probe == id then
      entry = judge(version, entry, state, dead[i], now or clock())
    end
  end
end
for _, message in ipairs(parked) do
  if entry then
    redis.call('RPUSH', PARKED .. version, message)
  else -- the probe in this same call ended the pause, so no unparking would find them
    give_back(queue_of(message), message)
  end
end
if #finished > 0 then redis.call('HDEL', attempts, unpack(finished)) end
-- One write for each field, whatever the size of the microbatch.
for field, amount in pairs(counts) do
  redis.call('HINCRBY', statistics, field, amount)
end
local own_queue = written > 0 and queue_of_tag(tag_at(1)) -- one worker, and so one queue
if own_queue and is_deployed(own_queue) then
  for _, state in ipairs({ 'succeeded', 'failed', 'cancelled', 'expired' }) do
    if counts[state] then redis.call('HINCRBY', QUEUED .. own_queue, state, counts[state]) end
  end
end
if written > 0 then
  redis.call('SADD', ANSWERED, version)
  redis.call('HINCRBYFLOAT', statistics, 'seconds', string.format('%.6f', seconds))
end
if arms ~= '' and written > 0 then count_arms(cjson.decode(arms), version, is_written) end
if tenants ~= '' and written > 0 then count_tenants(cjson.decode(tenants), is_written, outcome_at, ttl) end
return written
