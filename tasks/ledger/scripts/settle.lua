-- Uses: messages, tags, pausing, breaking, burying
-- Write outcomes and drop their messages, in one step; the first outcome of each wins.
-- KEYS: reserved, due, attempts, statistics, and the record of each.
-- ARGV: time to live in seconds, the three heads of an open record (a queued one's first), tags
--       (empty for none), ids; then for each: outcome, state, rows, seconds from acceptance,
--       histogram bucket; then for each that leaves a dead letter: its index, the letter without
--       its end, code, reason, and 1 if a pause may park it instead.
-- Returns how many were written. Deleting comes first: a full Redis refuses only scripts whose
-- first write adds data.
local live, queued, many = ARGV[1], ARGV[2], #KEYS - 4
-- The arguments of outcome i; the only lines that count where they are.
local function record_key(i) return KEYS[4 + i] end
local function tag_at(i) return ARGV[4 + i] end
local function id_at(i) return ARGV[4 + many + i] end
local function outcome_at(i) -- outcome, state, rows, seconds, bucket
  local before = 4 + 2 * many + 5 * (i - 1)
  return unpack(ARGV, before + 1, before + 5)
end
local first_letter = 4 + 2 * many + 5 * many + 1
local counts, seconds, written, finished = {}, 0, 0, {}
local longest = math.max(#ARGV[2], #ARGV[3], #ARGV[4])
-- Whether the queue deadline lies ahead by Redis's clock, the only one that all share. A look-up,
-- which holds no message, has compared it with its own host's clock.
local function is_early(record)
  local deadline = string.match(record, '"queue_deadline":([%d.e+]+)')
  return deadline and tonumber(deadline) > clock()
end
local function is_open(key, id, looked_up)
  -- The head alone: a record may hold megabytes of predictions.
  local record = redis.pcall('GETRANGE', key, 0, longest - 1)
  if record == '' then return not is_gone(id, clock(), live) end
  if type(record) == 'table' then return true end -- an error: the key holds another type
  for i = 2, 4 do
    if string.sub(record, 1, #ARGV[i]) == ARGV[i] then
      return not (looked_up and is_early(record_of(key)))
    end
  end
  return false
end
local function add(field, amount)
  counts[field] = (counts[field] or 0) + amount
end
local version, dead, now = string.sub(KEYS[4], #STATISTICS + 1), {}, nil
-- The messages of dead letters are read before they are deleted below.
for at = first_letter, #ARGV, 5 do
  local place = tonumber(ARGV[at])
  dead[place] = {
    head = ARGV[at + 1], code = ARGV[at + 2], reason = ARGV[at + 3], again = ARGV[at + 4] == '1',
    message = redis.call('HGET', KEYS[1], tag_at(place)),
  }
  now = clock()
end
-- For outcomes that come too late as well: their messages must not be delivered again.
redis.call('ZREM', KEYS[2], unpack(ARGV, 5, many + 4))
redis.call('HDEL', KEYS[1], unpack(ARGV, 5, many + 4))
local entry = entry_of(version)
-- Park a failed message, with a queued record, if its version is paused: the version is at fault.
local parked = {}
local function waits(i)
  local id, tag, message = id_at(i), tag_at(i), dead[i].message
  if not (dead[i].again and entry and entry.probe ~= id) then return false end
  if queue_of(message) ~= queue_of_tag(tag) then return false end
  table.insert(parked, 1, message)
  finished[#finished + 1] = id
  local record = record_of(record_key(i))
  if record then
    redis.call('SET', record_key(i), (string.gsub(record, '^{"status":"%u+","state":"%l+"', queued, 1)))
  end
  return true
end
for i = 1, many do
  local key, id = record_key(i), id_at(i)
  local outcome, state, rows, took, bucket = outcome_at(i)
  local open = is_open(key, id, state == 'expired' and tag_at(i) == '')
  if open and dead[i] and (not dead[i].message or waits(i)) then
    open = false -- parked, or another worker has taken the message and will settle it
  end
  if open then
    redis.call('SET', key, outcome, 'EX', live)
    redis.call('PUBLISH', key, outcome)
    add(state, 1)
    add('rows', rows)
    seconds = seconds + took
    add(bucket, 1)
    finished[#finished + 1] = id
    written = written + 1
    if dead[i] then
      local died_at = string.format('%.6f', now)
      local tail = ',"died_at":' .. died_at .. ',"message":' .. cjson.encode(dead[i].message) .. '}'
      bury(id, dead[i].head .. tail, died_at)
      entry = entry or count_failure(version, dead[i], now)
    end
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
if #finished > 0 then redis.call('HDEL', KEYS[3], unpack(finished)) end
-- One write for each field, whatever the size of the microbatch.
for field, amount in pairs(counts) do
  redis.call('HINCRBY', KEYS[4], field, amount)
end
if written > 0 then
  redis.call('SADD', ANSWERED, version)
  redis.call('HINCRBYFLOAT', KEYS[4], 'seconds', string.format('%.6f', seconds))
end
return written
