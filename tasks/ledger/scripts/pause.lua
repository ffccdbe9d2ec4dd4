-- Pause a version at the operator's word; no probe ends that.
-- ARGV: model:version, reason.  Returns whether it was not paused before.
local before = redis.call('HEXISTS', PAUSED, ARGV[1])
note(ARGV[1], { trigger = 'operator', code = 'paused', reason = ARGV[2], since = clock() })
return 1 - before
