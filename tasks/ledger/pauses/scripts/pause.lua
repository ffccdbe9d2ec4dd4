-- Uses: messages, pausing
-- Pause a version for an operator; no probe ends such a pause.
-- ARGV: model:version, reason.  Returns whether it was not paused before.
local version, reason = unpack(ARGV)
local before = redis.call('HEXISTS', PAUSED, version)
note(version, { trigger = 'operator', code = 'paused', reason = reason, since = clock() })
return 1 - before
