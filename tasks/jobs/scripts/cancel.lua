-- Cancel a job. What is computed now is computed to its end.
-- ARGV: id.
redis.call('ZREM', DUE, '') -- a full Redis lets a script finish that removes first
local status = redis.call('HGET', job, 'status')
if not status or ENDED[status] then return end
ground()
-- A job whose output is being put together right now comes to its end by itself.
if status == 'finalizing' and redis.call('HLEN', flying) > 0 then return end
if status ~= 'cancelling' then enter('cancelling') end
land()
tell()
