-- A step ends its job: its output is there, or something is wrong for good.
-- ARGV: id, step, tag, error, empty where there is none.
drop(ARGV[2], ARGV[3])
local state = redis.call('HMGET', job, 'status', 'failed')
if ARGV[4] ~= '' then
  if state[1] then fail(ARGV[4]) end
elseif state[1] == 'finalizing' then
  enter(tonumber(state[2]) > 0 and 'completed_with_errors' or 'completed')
end
land()
tell()
