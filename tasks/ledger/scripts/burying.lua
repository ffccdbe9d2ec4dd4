-- Shared by scripts that write dead letters: a library, put in front of them with the
-- key layout and webhooks/scripts/events.lua.
local function delete_letter(id)
  local size = redis.call('HSTRLEN', DEAD_LETTERS, id)
  redis.call('HDEL', DEAD_LETTERS, id)
  redis.call('ZREM', DEAD_LETTER_TIMES, id)
  redis.call('HINCRBY', DEAD_LETTER_TOTALS, 'bytes', 0 - size)
  drop_webhook(id)
end

-- Dead letters must not fill Redis: above the bounds, drop the oldest. Returns how many.
local function bury(id, letter, died_at)
  local dropped, before = 0, redis.call('HSTRLEN', DEAD_LETTERS, id)
  redis.call('HSET', DEAD_LETTERS, id, letter)
  redis.call('ZADD', DEAD_LETTER_TIMES, died_at, id)
  redis.call('HINCRBY', DEAD_LETTER_TOTALS, 'buried', 1)
  local many = redis.call('ZCARD', DEAD_LETTER_TIMES)
  if many == 1 then -- an operator may have deleted the others by hand
    redis.call('HSET', DEAD_LETTER_TOTALS, 'bytes', 0)
    before = 0
  end
  local bytes = redis.call('HINCRBY', DEAD_LETTER_TOTALS, 'bytes', #letter - before)
  -- The new letter may go as well: one that is larger than all that may be kept.
  while many > 0 and (many > MAX_DEAD_LETTERS or bytes > MAX_DEAD_LETTER_BYTES) do
    delete_letter(redis.call('ZRANGE', DEAD_LETTER_TIMES, 0, 0)[1])
    bytes = tonumber(redis.call('HGET', DEAD_LETTER_TOTALS, 'bytes'))
    many, dropped = many - 1, dropped + 1
  end
  if dropped > 0 then redis.call('HINCRBY', DEAD_LETTER_TOTALS, 'dropped', dropped) end
  return dropped
end
