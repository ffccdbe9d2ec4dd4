-- Uses: messages, pausing
-- End the pause of a version; its parked messages go back in order.
-- ARGV: model:version.  Returns whether it was paused.
local version = ARGV[1]
local paused = redis.call('HEXISTS', PAUSED, version)
resume(version)
return paused
