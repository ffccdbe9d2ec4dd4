-- Write outcomes and drop their messages, in one step; the first outcome of each wins.
-- KEYS: reserved, due, attempts, statistics, and the record of each.
-- ARGV: time to live in seconds, head of a queued record, head of a running one, tags (or
--       nothing in place of one), ids, and then of each: outcome, state, rows, seconds from
--       acceptance, histogram bucket.
-- Returns how many were written. Removing comes first: a full Redis lets such a script finish.
local live, queued, running, many = ARGV[1], ARGV[2], ARGV[3], #KEYS - 4
local counts, seconds, written = {}, 0, 0
local function add(field, amount)
  counts[field] = (counts[field] or 0) + amount
end
redis.call('ZREM', KEYS[2], unpack(ARGV, 4, many + 3))
redis.call('HDEL', KEYS[1], unpack(ARGV, 4, many + 3))
redis.call('HDEL', KEYS[3], unpack(ARGV, many + 4, 2 * many + 3))
for i = 1, many do
  local key, at = KEYS[i + 4], 2 * many + 5 * i - 1
  local record = redis.pcall('GETRANGE', key, 0, math.max(#queued, #running) - 1)
  if type(record) == 'table' then -- no text, hence none of ours: somebody put something else there
    record = ''
  end
  if record == '' or string.sub(record, 1, #queued) == queued or string.sub(record, 1, #running) == running then
    redis.call('SET', key, ARGV[at], 'EX', live)
    redis.call('PUBLISH', key, ARGV[at])
    add(ARGV[at + 1], 1)
    add('rows', ARGV[at + 2])
    seconds = seconds + ARGV[at + 3]
    add(ARGV[at + 4], 1)
    written = written + 1
  end
end
for field, amount in pairs(counts) do
  redis.call('HINCRBY', KEYS[4], field, amount)
end
if written > 0 then
  redis.call('HINCRBYFLOAT', KEYS[4], 'seconds', string.format('%.6f', seconds))
end
return written
