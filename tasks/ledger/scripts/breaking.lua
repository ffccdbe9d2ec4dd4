-- The breaker: when failures pause a version, and what its probe decides. A library, put in front
-- of settle.lua. `dead` holds the fields of an outcome that left a dead letter.
local function trip(version, trigger, dead, many, now)
  local before = tonumber(redis.call('HGET', TROUBLES .. version, 'wait') or 0)
  local wait = math.max(math.min(2 * before, MAX_PROBE_WAIT), PROBE_AFTER)
  local what = trigger == 'failures' and ' failures in a row' or ' dead letters within a minute'
  local entry = {
    trigger = trigger, code = dead.code, reason = many .. what .. ', the last: ' .. dead.reason,
    since = now, wait = wait, probe_at = now + wait,
  }
  note(version, entry)
  return entry
end

-- Count a failure of a version, and pause it if there are too many; returns its pause then.
-- Dead letters count within a minute that begins with the first. Consecutive failures count even
-- minutes apart, as with loads that hang. A success in between shows in the statistics, so that
-- successes need no write of their own.
local function count_failure(version, dead, now)
  local troubles, succeeded = TROUBLES .. version, redis.call('HGET', STATISTICS .. version, 'succeeded')
  local before = redis.call('HMGET', troubles, 'since', 'succeeded')
  if now - (before[1] or 0) > MINUTE then
    redis.call('HDEL', troubles, 'letters')
    redis.call('HSET', troubles, 'since', string.format('%.3f', now))
  end
  if succeeded ~= before[2] then redis.call('HDEL', troubles, 'failures') end
  if succeeded then redis.call('HSET', troubles, 'succeeded', succeeded) end
  local failures = redis.call('HINCRBY', troubles, 'failures', 1)
  local letters = redis.call('HINCRBY', troubles, 'letters', 1)
  redis.call('EXPIRE', troubles, WAIT_REMEMBERED)
  if failures >= BREAKER_FAILURES then return trip(version, 'failures', dead, failures, now) end
  if letters > DEAD_LETTERS_PER_MINUTE then return trip(version, 'dead_letters', dead, letters, now) end
end

-- Returns the pause if the version stays paused. A cancelled probe decides nothing: try another.
local function judge(version, entry, state, dead, now)
  -- Failed without a dead letter: the model raised an error for these rows, so the version
  -- computes.
  if not dead and (state == 'succeeded' or state == 'failed') then
    resume(version, entry.wait)
    return nil
  end
  entry.probe, entry.probe_at = nil, now
  if dead then
    entry.wait = math.min(2 * entry.wait, MAX_PROBE_WAIT)
    entry.probe_at, entry.code = now + entry.wait, dead.code
    entry.reason = 'the probe failed: ' .. dead.reason
  end
  note(version, entry)
  return entry
end
