-- Uses: messages, tags, pausing, webhooks.events, jobs.jobs
-- Cancel a job. Chunks that are being computed are completed.
-- ARGV: id.
use_job(ARGV[1])
redis.call('ZREM', DUE, '') -- deleting first lets the script run on a full Redis
local status = redis.call('HGET', job, 'status')
if not status or ENDED[status] then return end
remove_waiting()
-- A job whose output is being written right now completes by itself.
if status == 'finalizing' and redis.call('HLEN', in_flight) > 0 then return end
if status ~= 'cancelling' then set_status('cancelling') end
complete_cancellation()
publish_change()
