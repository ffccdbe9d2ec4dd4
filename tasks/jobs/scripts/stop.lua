-- Cancel a job, or let it expire. What is computed now is computed to its end.
-- ARGV: id, "cancelling" or "expired".
-- Returns whether that was to be done.
local status = redis.call('HGET', job, 'status')
if not status or ENDED[status] or status == ARGV[2] then return 0 end
ground()
-- A job whose output is being put together right now comes to its end by itself.
if ARGV[2] == 'cancelling' and status == 'finalizing' and redis.call('HLEN', flying) > 0 then
  return 0
end
enter(ARGV[2])
land()
tell()
return 1
