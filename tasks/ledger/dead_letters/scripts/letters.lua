-- Uses: webhooks.events, burying
-- Read dead letters without their messages, which may be long.
-- ARGV: most bytes of letters to read (one letter is always read), ids.
-- Returns the letters in order, false for one that does not exist; fewer than the ids if the bytes
-- are used up.
local most_bytes, ids = tonumber(ARGV[1]), { unpack(ARGV, 2) }
local found, read = {}, 0
for i, id in ipairs(ids) do
  read = read + redis.call('HSTRLEN', DEAD_LETTERS, id)
  if i > 1 and read > most_bytes then break end
  local letter = redis.call('HGET', DEAD_LETTERS, id)
  -- Unambiguous: inside a JSON string, quotes are escaped.
  local at = letter and string.find(letter, ',"message":', 1, true)
  if at then
    local died_at = string.match(string.sub(letter, -64), ',"died_at":[%d.]+}$')
    letter = string.sub(letter, 1, at - 1) .. (died_at or '}')
  end
  table.insert(found, letter)
end
return found
