-- Shared by scripts that take predictions of callers whose keys have limits. Needs messages and
-- in_flight.
-- The generic cell rate algorithm: for each limit one time is stored, at which all that was taken
-- would have been taken at an even rate. It may lie a whole period ahead, which is the burst.
-- `text`: id of the key; amount and seconds of its requests; and of its rows; most predictions in
-- flight. 0: no such limit.
local function limiter(text)
  local id, requests, seconds, rows, rows_seconds, most_open =
    string.match(text, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%d+)$')
  most_open = tonumber(most_open)
  local key, now = LIMITS .. id, clock()

  local function taken_until(name, period)
    local time, latest = tonumber(redis.call('HGET', key, name) or 0), now + period
    if time > latest then -- the clock went back, and the key would be refused for that long
      redis.call('HSET', key, name, string.format('%.6f', latest))
    end
    return math.min(math.max(time, now), latest)
  end

  local limits = {
    { 'requests', tonumber(requests), tonumber(seconds), taken_until('requests', tonumber(seconds)) },
    { 'rows', tonumber(rows), tonumber(rows_seconds), taken_until('rows', tonumber(rows_seconds)) },
  }

  local function after(limit, rows_added)
    local count = limit[1] == 'rows' and rows_added or 1
    return limit[4] + count * limit[3] / limit[2]
  end

  local made, open = {}, nil

  local function many_open()
    open = open or many_in_flight(id, most_open)
    return open
  end

  -- The refusal: { "limited", which limit, seconds until the request fits; -1 if it never does }.
  -- It is not known when a prediction that is in flight has its outcome.
  function made.refusal(rows_added)
    for _, limit in ipairs(limits) do
      if limit[2] > 0 then
        local over = after(limit, rows_added) - now - limit[3]
        -- By a millisecond, as sums of fractions are not exact.
        if over > 0.001 then
          local fits = after(limit, rows_added) - limit[4] <= limit[3] + 0.001
          return { 'limited', limit[1], fits and math.ceil(over) or -1 }
        end
      end
    end
    if most_open > 0 and many_open() >= most_open then return { 'limited', 'in_flight', 1 } end
  end

  function made.take(rows_added)
    for _, limit in ipairs(limits) do
      if limit[2] > 0 then
        limit[4] = after(limit, rows_added)
        redis.call('HSET', key, limit[1], string.format('%.6f', limit[4]))
      end
    end
    redis.call('EXPIRE', key, math.ceil(math.max(limits[1][4], limits[2][4]) - now) + 1)
  end

  -- From now on, until it has its outcome, the prediction is in flight.
  function made.hold(task_id)
    if most_open == 0 then return end
    open = many_open() + 1
    hold(id, task_id)
  end

  -- For each limit: which, how much of it is left, seconds until all of it is there again.
  function made.left()
    local told = {}
    for _, limit in ipairs(limits) do
      if limit[2] > 0 then
        local used = limit[4] - now
        local free = math.floor((1 - used / limit[3]) * limit[2] + 0.001)
        told[#told + 1] = { limit[1], math.max(free, 0), math.ceil(used) }
      end
    end
    if most_open > 0 then told[#told + 1] = { 'in_flight', math.max(most_open - many_open(), 0), 1 } end
    return told
  end

  return made
end
