-- Uses: messages, webhooks.events, webhooks.origins
-- Take events that are due, and hold them while they are sent.
-- ARGV: how many, seconds for which they are held.
-- Returns for each: subject, when the hold ends, event, attempts before this one.
local many, now, taken = tonumber(ARGV[1]), clock(), {}
local held_until = string.format('%.6f', now + ARGV[2])
local function take(subject, sending)
  local event = redis.call('LINDEX', WEBHOOK_EVENTS .. subject, 0)
  if not event then return end
  redis.call('ZADD', sending, held_until, subject)
  local attempts = redis.call('HGET', WEBHOOK_ATTEMPTS, subject) or '0'
  taken[#taken + 1] = { subject, held_until, event, attempts }
end
redis.call('ZREM', WEBHOOK_ORIGINS, '') -- deleting first lets the script run on a full Redis
for _, origin in ipairs(redis.call('ZRANGEBYSCORE', WEBHOOK_ORIGINS, '-inf', now, 'LIMIT', 0, 100)) do
  local due, sending = WEBHOOK_DUE .. origin, WEBHOOK_SENDING .. origin
  for _, subject in ipairs(redis.call('ZRANGEBYSCORE', sending, '-inf', now)) do
    redis.call('ZREM', sending, subject)
    redis.call('ZADD', due, string.format('%.6f', now), subject)
  end
  local free = math.min(MOST_SENDING - redis.call('ZCARD', sending), many - #taken)
  if free > 0 then
    for _, subject in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, free)) do
      redis.call('ZREM', due, subject)
      take(subject, sending)
    end
  end
  look_again(origin)
end
return taken
