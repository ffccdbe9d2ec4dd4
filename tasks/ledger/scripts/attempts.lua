-- Shared by scripts that count attempts: the only place that knows how ATTEMPTS stores them.
-- A whole number n: attempt n has started. n + 0.5: the message was postponed after attempt n. A
-- message that comes back at n + 0.5 died before `start`, so that counts as an attempt too. The
-- number is negative for a postponed message that may have company. 0.5: no attempt is charged, but
-- the message runs alone, as a companion has interrupted it.
-- Returns the attempts charged, whether the message was postponed since, and whether it is a suspect.
local function attempts_of(stored)
  local number = tonumber(stored or 0)
  local charged = math.floor(math.abs(number))
  return charged, math.abs(number) > charged, number > 0
end

-- What to store for an attempt that has started, and for a message that is postponed.
local function started_attempts(attempt)
  return tostring(attempt)
end

local function postponed_attempts(charged, suspect)
  return tostring((suspect and 1 or -1) * (charged + 0.5))
end
