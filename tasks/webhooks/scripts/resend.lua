-- Uses: messages, webhooks.events, burying
-- Replay the dead letter of an event: it is sent again, behind others of the same subject.
-- ARGV: id of the letter, when it died, event, most webhooks.
-- Returns "replayed"; "gone" if that letter no longer exists; or "full".
local letter_id, died_at, event, most = unpack(ARGV)
local found_at = redis.call('ZSCORE', DEAD_LETTER_TIMES, letter_id)
if not found_at or tonumber(found_at) ~= tonumber(died_at) then return 'gone' end
if redis.call('HLEN', WEBHOOKS) >= tonumber(most) then return 'full' end
local told = cjson.decode(event)
delete_letter(letter_id)
-- Counted among the webhooks until it is delivered.
redis.call('HSETNX', WEBHOOKS, told.subject, cjson.encode({ url = told.url, origin = told.origin }))
put_event(told.subject, told.origin, event)
redis.call('SET', REPLAYED .. letter_id, told.subject, 'EX', 3600)
return 'replayed'
