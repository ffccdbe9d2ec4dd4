-- Read records, as far as a budget of bytes reaches.
-- KEYS: records.
-- ARGV: how many bytes to read; the record that exceeds them is left out, unless it is the first.
-- Returns records in order; false for a key that is missing or holds another type.
local records, most = KEYS, tonumber(ARGV[1])
local found, size = {}, 0
for i, key in ipairs(records) do
  local record = redis.pcall('GET', key)
  if type(record) ~= 'string' then record = false end
  size = size + (record and #record or 0)
  if size > most and i > 1 then break end
  found[i] = record
end
return found
