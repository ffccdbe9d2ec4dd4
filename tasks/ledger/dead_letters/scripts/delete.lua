-- Uses: webhooks.events, burying
-- Delete dead letters. ARGV: their ids.  Returns how many existed.
local ids, deleted = ARGV, 0
for _, id in ipairs(ids) do
  if redis.call('ZSCORE', DEAD_LETTER_TIMES, id) then
    delete_letter(id)
    deleted = deleted + 1
  end
end
return deleted
