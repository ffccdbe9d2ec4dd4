-- Uses: messages, pausing
-- Pause a version for an operator; no probe ends such a pause.
-- ARGV: model:version, reason.  Returns whether it was not paused before.
local before = redis.call('HEXISTS', PAUSED, ARGV[1])
note(ARGV[1], { trigger = 'operator', code = 'paused', reason = ARGV[2], since = clock() })
return 1 - before
