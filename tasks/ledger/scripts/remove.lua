-- Remove what is known of a version that the registry no longer has: its pause, its troubles, its
-- statistics, its dead letters. What is parked goes back to its queue, and fails there.
-- ARGV: model:version, at which dead letter to begin, the oldest being 0, how many to look at.
-- Returns how many letters were deleted, how many messages went back, and at which letter to go on,
-- -1 where there are no more.
local version, first, many = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local parked = redis.call('LLEN', PARKED .. version)
resume(version)
redis.call('DEL', STATISTICS .. version)
redis.call('SREM', ANSWERED, version)
local ids, deleted = redis.call('ZRANGE', DEAD_LETTER_TIMES, first, first + many - 1), 0
-- Within what letters quote, a quotation mark has a backslash before it.
local said = '"model":' .. cjson.encode(version)
for _, id in ipairs(ids) do
  local letter = redis.call('HGET', DEAD_LETTERS, id)
  if letter and string.find(letter, said, 1, true) then
    forget(id)
    deleted = deleted + 1
  end
end
return { deleted, parked, #ids == many and first + many - deleted or -1 }
