-- Have outcomes written to the stream of events for some time.
-- KEYS: whether the stream is followed, the stream.
-- ARGV: for how many seconds.
-- Returns the id of the last entry.
local followed, stream = unpack(KEYS)
local seconds = ARGV[1]
-- Outcomes were missed meanwhile, so what is left of the stream must not be continued. An entry of
-- its own marks the start, so that each caller has an id to continue from.
if redis.call('EXISTS', followed) == 0 then
  redis.call('DEL', stream)
  redis.call('XADD', stream, '*', 'start', '')
end
redis.call('SET', followed, '', 'EX', seconds)
redis.call('EXPIRE', stream, seconds)
return redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1][1]
