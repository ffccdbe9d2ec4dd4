-- Uses: messages, tags, pausing, webhooks.events, jobs.jobs
-- Expire a job that has exceeded its time; delete one whose time to live is over.
-- ARGV: id.
-- Returns whether it is deleted, so that its files can be removed.
use_job(ARGV[1])
expire()
local state = redis.call('HMGET', job, 'status', 'expires_at')
if state[1] and not (ENDED[state[1]] and tonumber(state[2]) < clock()) then return 0 end
delete_job()
return 1
