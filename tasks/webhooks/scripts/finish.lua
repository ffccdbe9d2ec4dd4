-- Uses: messages, webhooks.events, burying, webhooks.origins
-- Note what became of an event that was sent.
-- ARGV: subject, origin, when the hold ends, what became of it, seconds until the next attempt; and
--       for one that is given up: the id of its dead letter, the letter without its end.
-- Returns 1; 0 if the hold has ended, so that another deliverer may have the event.
local subject, origin, held_until, became, wait, letter_id, letter = unpack(ARGV)
local sending = WEBHOOK_SENDING .. origin
local held = redis.call('ZSCORE', sending, subject)
if not held or tonumber(held) ~= tonumber(held_until) then return 0 end
redis.call('ZREM', sending, subject)
local now = string.format('%.6f', clock())
if became == 'again' then
  redis.call('HINCRBY', WEBHOOK_ATTEMPTS, subject, 1)
  send_at(subject, origin, string.format('%.6f', now + wait))
else
  local event = redis.call('LPOP', WEBHOOK_EVENTS .. subject)
  redis.call('HDEL', WEBHOOK_ATTEMPTS, subject)
  if became == 'given_up' then
    bury(letter_id, letter .. ',"died_at":' .. now .. ',"message":' .. cjson.encode(event) .. '}', now)
  end
  if redis.call('EXISTS', WEBHOOK_EVENTS .. subject) == 1 then
    send_at(subject, origin, now)
  else
    drop_webhook(subject)
  end
end
redis.call('HINCRBY', WEBHOOK_TOTALS, became, 1)
look_again(origin)
return 1
