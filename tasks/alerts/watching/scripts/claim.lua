-- Claim the evaluation of the rules for one watch, or renew its claim.
-- KEYS: claim. ARGV: token of the watch, seconds for which the claim lasts.
-- Returns 1 if this watch has the claim now.
local claim, token, seconds = KEYS[1], ARGV[1], ARGV[2]
local owner = redis.call('GET', claim)
if owner and owner ~= token then
  return 0
end
redis.call('SET', claim, token, 'EX', seconds)
return 1
