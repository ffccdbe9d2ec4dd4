-- Write outcomes and drop their messages, in one step; the first outcome of each wins.
-- KEYS: reserved, due, attempts, statistics, and the record of each.
-- ARGV: time to live in seconds, the three heads of a record that has no outcome, tags (or nothing
--       in place of one), ids, and then of each: outcome, state, rows, seconds from acceptance,
--       histogram bucket.
-- Returns how many were written. Removing comes first: a full Redis lets such a script finish.
local live, many = ARGV[1], #KEYS - 4
local counts, seconds, written = {}, 0, {}
local longest = math.max(#ARGV[2], #ARGV[3], #ARGV[4])
local function open(record)
  for i = 2, 4 do
    if string.sub(record, 1, #ARGV[i]) == ARGV[i] then return true end
  end
  return record == ''
end
local function add(field, amount)
  counts[field] = (counts[field] or 0) + amount
end
redis.call('ZREM', KEYS[2], unpack(ARGV, 5, many + 4))
redis.call('HDEL', KEYS[1], unpack(ARGV, 5, many + 4))
for i = 1, many do
  local key, at = KEYS[i + 4], 2 * many + 5 * i
  if open(redis.call('GETRANGE', key, 0, longest - 1)) then
    redis.call('SET', key, ARGV[at], 'EX', live)
    redis.call('PUBLISH', key, ARGV[at])
    add(ARGV[at + 1], 1)
    add('rows', ARGV[at + 2])
    seconds = seconds + ARGV[at + 3]
    add(ARGV[at + 4], 1)
    written[#written + 1] = ARGV[many + 4 + i]
  end
end
for field, amount in pairs(counts) do
  redis.call('HINCRBY', KEYS[4], field, amount)
end
if #written > 0 then
  redis.call('HDEL', KEYS[3], unpack(written))
  redis.call('HINCRBYFLOAT', KEYS[4], 'seconds', string.format('%.6f', seconds))
end
return #written
