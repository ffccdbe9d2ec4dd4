-- Dead letters without their messages, which may be long: they stay here.
-- ARGV: how many bytes of letters to read at most, though always one letter; ids.
-- Returns for each id, as far as it came: the letter, or false where there is none any more.
local found, read = {}, 0
for i = 2, #ARGV do
  read = read + redis.call('HSTRLEN', DEAD_LETTERS, ARGV[i])
  if i > 2 and read > tonumber(ARGV[1]) then break end
  local letter = redis.call('HGET', DEAD_LETTERS, ARGV[i])
  -- No text within the letter looks so: in there a quote is escaped.
  local at = letter and string.find(letter, ',"message":', 1, true)
  if at then
    local died = string.match(string.sub(letter, -64), ',"died_at":[%d.]+}$')
    letter = string.sub(letter, 1, at - 1) .. (died or '}')
  end
  table.insert(found, letter)
end
return found
