-- Forget a job that has ended.
-- ARGV: id.
-- Returns its status: where that is none of an end, nothing is done; nothing where there is no job.
local status = redis.call('HGET', job, 'status')
if ENDED[status or ''] then forget() end
return status
