-- End a job that has taken longer than it may; forget one that ended so long ago.
-- ARGV: id.
-- Returns whether it is forgotten: its files are nobody's any more.
expire()
local state = redis.call('HMGET', job, 'status', 'expires_at')
if state[1] and not (ENDED[state[1]] and tonumber(state[2]) < clock()) then return 0 end
forget()
return 1
