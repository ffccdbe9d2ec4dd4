-- Uses: messages, tags, pausing, webhooks.events, jobs.jobs
-- Delete a job that has ended.
-- ARGV: id.
-- Returns its status, nothing if there is no job; one that has not ended is left alone.
use_job(ARGV[1])
local status = redis.call('HGET', job, 'status')
if ENDED[status or ''] then delete_job() end
return status
