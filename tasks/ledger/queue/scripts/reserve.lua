-- Uses: messages, tags, pausing, idle, flows, turns
-- Take messages from a queue, in turns if callers have flows, else oldest first, and note them as reserved in one step, so that no
-- message is ever in a process's memory alone. The first is taken whatever its size.
-- KEYS: queue, its hash of counts, reserved, due.
-- ARGV: seconds until the reservations end, most messages, most rows, most bytes; a worker that was
--       idle so far, or is if there are no messages; then the versions that it holds, each between
--       blanks. Both are empty for any other.
-- Messages of paused versions are parked on the way.
-- Returns pairs of tag and message. Each iteration deletes first, which a full Redis allows.
local queue, queued, reserved, due = unpack(KEYS)
local timeout, most = ARGV[1], tonumber(ARGV[2])
local most_rows, most_bytes = tonumber(ARGV[3]), tonumber(ARGV[4])
local worker, versions = ARGV[5], ARGV[6]
local now, taken, dues = clock(), {}, {}
local ends = now + timeout
local rows, bytes, counted_rows, counted_bytes = 0, 0, 0, 0
local noted = redis.call('HMGET', queued, 'reserved', 'taken', 'left', 'marked', 'busy', 'drained', 'by_tenant', 'charged', 'flowing')
local serial = tonumber(noted[1] or 0)
local pausing, entries, parked = redis.call('EXISTS', PAUSED) == 1, {}, 0
local function is_parked(message)
  local version = version_of(message)
  if not version then return false end
  if entries[version] == nil then entries[version] = entry_of(version) or false end
  local entry = entries[version]
  return entry and entry.probe ~= id_of(message) and park(version, message, queue)
end
-- `taken` has a tag and a message for each. The worker asks for a few hundred at most, and `unpack`
-- below fails at several thousand. Parking is bounded, too: no other client is served meanwhile.
-- Nothing is popped from an empty list: Redis 6 logs and syncs a transaction for a pop of nothing.
local waiting, turns = redis.call('LLEN', queue), nil
if noted[9] then
  turns = turns_of(queue, waiting)
  waiting = turns.waiting
end
while waiting > 0 and #taken < 2 * most and parked < 1000 do
  local message
  if turns then message = turns.pop() else message = redis.call('RPOP', queue) end
  if not message then break end
  -- Messages of stock producers do not tell their rows, and were not counted when pushed.
  local told = rows_of(message)
  local waits = pausing and is_parked(message)
  if waits then
    parked = parked + 1
  else
    rows, bytes = rows + (told or 1), bytes + #message
    if #taken > 0 and (rows > most_rows or bytes > most_bytes) then
      -- Only popping shows the size of a message. It goes back to the end that it came from.
      if turns then turns.undo(message) else redis.call('RPUSH', queue, message) end
      break
    end
    serial = serial + 1
    local tag = tag_of(queue, serial)
    taken[#taken + 1] = tag
    taken[#taken + 1] = message
    dues[#dues + 1] = ends
    dues[#dues + 1] = tag
  end
  -- Parked messages as well: they are no longer on the queue.
  if told then
    counted_rows, counted_bytes = counted_rows + told, counted_bytes + #message
    if noted[7] then count_for_tenant(queue, message, -1) end
  end
end
if turns then
  turns.finish(1)
elseif noted[8] then -- no flow waits
  redis.call('HDEL', queued, 'charged')
end
if #taken > 0 and worker ~= '' then
  redis.call('HDEL', IDLE .. queue, worker)
elseif #taken == 0 and versions ~= '' then
  note_idle(queue, worker, versions)
end
if #taken > 0 then
  redis.call('HSET', reserved, unpack(taken))
  redis.call('ZADD', due, unpack(dues))
end
if #taken + parked > 0 then
  redis.call('HINCRBY', queued, 'rows', 0 - counted_rows)
  redis.call('HINCRBY', queued, 'bytes', 0 - counted_bytes)
  -- `fair`: this release takes messages from flows, so accept.lua may put some there.
  redis.call('HSET', queued, 'reserved', serial, 'fair', 1)
end
-- The drain rate: messages that left, and the seconds that took, while others waited. Both decay
-- over five seconds, or over five rounds if a round takes more than a second.
local left = tonumber(noted[3] or 0)
local gone = #taken / 2 + parked
if gone > 0 then
  local busy, drained = noted[5] or 0, noted[6] or 0
  if left > 0 then
    local since = math.max(now - noted[4], 0)
    -- At least four fifths are kept, or one long round would forget all before it.
    local kept = math.max(1 - since / 5, 0.8)
    busy, drained = busy * kept + since, drained * kept + gone
    redis.call('HSET', queued, 'busy', busy, 'drained', drained)
  end
  redis.call('HSET', queued, 'taken', (noted[2] or 0) + gone, 'left', waiting - gone, 'marked', now)
elseif left > 0 then -- another worker emptied the queue
  redis.call('HDEL', queued, 'left')
end
return taken
