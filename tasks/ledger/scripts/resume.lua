-- Uses: messages, pausing
-- End the pause of a version; its parked messages go back in order.
-- ARGV: model:version.  Returns whether it was paused.
local paused = redis.call('HEXISTS', PAUSED, ARGV[1])
resume(ARGV[1])
return paused
