-- Shared by scripts that take messages from flows in turns. Needs messages and flows.
-- Each flow has a virtual time: the rows that were taken from it, divided by its weight. The flow
-- whose time is least has its turn. The queue's own time is that of the latest turn. No flow that
-- waits is behind it, so one that begins to wait begins there: it is served soon, and nobody starves.
-- `own`: the length of the queue's own list.
local function turns_of(queue, own)
  local queued, flows, idle = QUEUED .. queue, FLOWS .. queue, IDLE_FLOWS .. queue
  local noted = redis.call('HMGET', queued, 'flowing', 'virtual', 'shared', 'charged')
  local waiting, virtual = tonumber(noted[1] or 0), tonumber(noted[2] or 0)
  -- The time of the shared flow; and how many of its messages came from flows that were charged.
  local shared, charged = tonumber(noted[3] or 0), math.min(tonumber(noted[4] or 0), own)
  local current, others -- the flow that has its turn, and the least time of the others
  local last, cost -- of the latest message: where it came from, and what was charged
  local is_more, left_flows = true, 0
  local made = {}

  local function end_turn()
    if current.left > 0 then
      redis.call('ZADD', flows, current.time, current.flow)
    else
      redis.call('ZREM', flows, current.flow)
      redis.call('ZADD', idle, current.time, current.flow)
    end
    current = nil
  end

  local function begin_turn()
    local least = redis.call('ZRANGE', flows, 0, 1, 'WITHSCORES')
    local flow = least[1]
    if not flow then
      is_more, waiting = false, 0
      return
    end
    local list = flow_list(queue, flow)
    local left = redis.call('LLEN', list)
    if left == 0 then -- somebody has deleted the list
      redis.call('ZREM', flows, flow)
      return begin_turn()
    end
    local weight = tonumber(string.match(flow, ':([%d.]+)$') or 1)
    current = { flow = flow, list = list, left = left, time = tonumber(least[2]), weight = weight }
    others = tonumber(least[4] or math.huge)
  end

  -- Any producer can say that its message has no rows.
  local function cost_of(message)
    return math.max(rows_of(message) or 1, 1)
  end

  local function pop_own(is_charged)
    own, last = own - 1, is_charged and 'charged' or 'shared'
    local message = redis.call('RPOP', queue)
    if is_charged then
      charged = charged - 1
    else
      virtual, cost = math.max(shared, virtual), cost_of(message)
      shared = virtual + cost
    end
    return message
  end

  -- The next message; nil if there is none.
  function made.pop()
    if charged > 0 then return pop_own(true) end
    if current and (current.left == 0 or current.time > others) then end_turn() end
    if not current and is_more then begin_turn() end
    if own > 0 and (not current or math.max(shared, virtual) <= current.time) then return pop_own(false) end
    if not current then return end
    local message = redis.call('RPOP', current.list)
    virtual, cost, last = current.time, cost_of(message) / current.weight, 'flow'
    current.left, current.time = current.left - 1, current.time + cost
    waiting, left_flows = waiting - 1, left_flows + 1
    return message
  end

  -- Put the latest message back to where it came from.
  function made.undo(message)
    if last == 'flow' then
      redis.call('RPUSH', current.list, message)
      current.left, current.time = current.left + 1, current.time - cost
      waiting, left_flows = waiting + 1, left_flows - 1
      return
    end
    redis.call('RPUSH', queue, message)
    own = own + 1
    if last == 'charged' then charged = charged + 1 else shared = shared - cost end
  end

  -- Note how far all are. Move up to `most` messages to the queue's own list if it is empty.
  function made.finish(most)
    local moved = {}
    while own == 0 and is_more and #moved < most do moved[#moved + 1] = made.pop() end
    if current then end_turn() end
    if #moved > 0 then redis.call('LPUSH', queue, unpack(moved)) end
    -- What waits in this list was not taken by a worker, so it is as if it had come back.
    if left_flows > 0 then redis.call('HINCRBY', queued, 'left_flows', left_flows) end
    if own + #moved > 0 then redis.call('ZREMRANGEBYSCORE', idle, '-inf', virtual) else redis.call('DEL', idle) end
    -- Nobody waits who could be behind others, or ahead of them.
    if waiting == 0 and redis.call('EXISTS', idle) == 0 then
      redis.call('HDEL', queued, 'flowing', 'virtual', 'shared', 'charged')
      return
    end
    redis.call(
      'HSET', queued, 'flowing', waiting, 'virtual', virtual, 'shared', shared, 'charged', charged + #moved
    )
  end

  made.waiting = own + waiting
  return made
end
