-- Uses: messages, pausing, webhooks.events, burying
-- Delete the data of a version that the registry no longer has: pause, failure counts, statistics
-- and dead letters. Its parked messages go back to their queue, where they fail.
-- ARGV: model:version, index of the first dead letter to look at (0 is the oldest), how many.
-- Returns how many letters were deleted, how many messages went back, and the index to go on with,
-- false at the end.
local version, first, many = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local parked = redis.call('LLEN', PARKED .. version)
resume(version)
redis.call('DEL', STATISTICS .. version, REUSE .. version, CALLS .. version)
redis.call('SREM', ANSWERED, version)
redis.call('SREM', UNLOADED, version)
-- In slices, as a look at each letter takes time: the caller goes on with the index returned.
local ids, deleted = redis.call('ZRANGE', DEAD_LETTER_TIMES, first, first + many - 1), 0
-- Unambiguous: inside a JSON string, quotes are escaped.
local said = '"model":' .. cjson.encode(version)
for _, id in ipairs(ids) do
  local letter = redis.call('HGET', DEAD_LETTERS, id)
  if letter and string.find(letter, said, 1, true) then
    delete_letter(id)
    deleted = deleted + 1
  end
end
return { deleted, parked, #ids == many and first + many - deleted }
