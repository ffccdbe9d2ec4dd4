-- Shared by scripts that take messages from flows in turns. Needs messages and flows.
-- Each flow has a virtual time: the rows that were taken from it, divided by its weight. The flow
-- whose time is least has its turn. The queue's own time is that of the latest turn. No flow that
-- waits is behind it, so one that begins to wait begins there: it is served soon, and nobody starves.
-- `own`: the length of the queue's own list.
local function turns_of(queue, own)
  local queued, flows, idle = QUEUED .. queue, FLOWS .. queue, IDLE_FLOWS .. queue
  local noted = redis.call('HMGET', queued, 'flowing', 'virtual', 'shared', 'charged', 'prioritized')
  local waiting, virtual = tonumber(noted[1] or 0), tonumber(noted[2] or 0)
  local prioritized = tonumber(noted[5] or 0)
  -- How many messages of the queue's own list came from flows that were charged.
  local charged = math.min(tonumber(noted[4] or 0), own)
  local current, others -- the flow that has its turn, and the least time of the others
  local last, list, cost -- of the latest message: whose it is, from which of its lists, what was charged
  local is_more, left_flows = true, 0
  local made = {}

  -- A flow with its lists, those of normal, high and low priority, and how many wait on each.
  local function opened(flow, time)
    local lists = lists_of(queue, flow)
    local left = { own, 0, 0 }
    if flow ~= '' then left[1] = redis.call('LLEN', lists[2]) end
    -- Most flows have no priorities.
    if prioritized > 0 then left[2], left[3] = redis.call('LLEN', lists[1]), redis.call('LLEN', lists[3]) end
    local weight = tonumber(string.match(flow, ':([%d.]+)$') or 1)
    return { flow = flow, lists = { lists[2], lists[1], lists[3] }, left = left, time = time, weight = weight }
  end

  local shared = opened('', tonumber(noted[3] or 0))

  local function many_left(flow)
    return flow.left[1] + flow.left[2] + flow.left[3]
  end

  local function note_choices(flow)
    if flow.choices then redis.call('HSET', FLOW_CHOICES .. queue, flow.flow, flow.choices) end
  end

  local function end_turn()
    note_choices(current)
    if many_left(current) > 0 then
      redis.call('ZADD', flows, current.time, current.flow)
    else
      redis.call('ZREM', flows, current.flow)
      redis.call('ZADD', idle, current.time, current.flow)
    end
    current = nil
  end

  local function begin_turn()
    local least = redis.call('ZRANGE', flows, 0, 1, 'WITHSCORES')
    if not least[1] then
      is_more, waiting = false, shared.left[2] + shared.left[3]
      return
    end
    local flow = opened(least[1], tonumber(least[2]))
    if many_left(flow) == 0 then -- somebody has deleted its lists
      redis.call('ZREM', flows, least[1])
      return begin_turn()
    end
    current, others = flow, tonumber(least[4] or math.huge)
  end

  -- Any producer can say that its message has no rows.
  local function cost_of(message)
    return math.max(rows_of(message) or 1, 1)
  end

  -- Which list of a flow is next. Of sixteen choices, four are for normal priority and one is for low
  -- priority, so that these do not starve.
  local function next_list(flow)
    local normal, high, low = flow.left[1] > 0, flow.left[2] > 0, flow.left[3] > 0
    if not high and not low then return 1 end
    flow.choices = (flow.choices or redis.call('HGET', FLOW_CHOICES .. queue, flow.flow) or 0) + 1
    local turn = flow.choices % 16
    if low and (turn == 15 or not high and not normal) then return 3 end
    if normal and (turn % 4 == 0 or not high) then return 1 end
    return 2
  end

  local function pop_from(flow)
    last, list = flow, next_list(flow)
    local message = redis.call('RPOP', flow.lists[list])
    flow.left[list] = flow.left[list] - 1
    virtual, cost = math.max(flow.time, virtual), cost_of(message) / flow.weight
    flow.time = virtual + cost
    if list > 1 then prioritized = prioritized - 1 end
    if flow ~= shared or list > 1 then waiting, left_flows = waiting - 1, left_flows + 1 end
    return message
  end

  -- The next message; nil if there is none.
  function made.pop()
    if charged > 0 then
      charged, shared.left[1] = charged - 1, shared.left[1] - 1
      last = nil
      return redis.call('RPOP', queue)
    end
    if current and (many_left(current) == 0 or current.time > others) then end_turn() end
    if not current and is_more then begin_turn() end
    if many_left(shared) > 0 and (not current or math.max(shared.time, virtual) <= current.time) then
      return pop_from(shared)
    end
    if current then return pop_from(current) end
  end

  -- Put the latest message back to where it came from.
  function made.undo(message)
    if not last then
      redis.call('RPUSH', queue, message)
      charged, shared.left[1] = charged + 1, shared.left[1] + 1
      return
    end
    redis.call('RPUSH', last.lists[list], message)
    last.left[list], last.time = last.left[list] + 1, last.time - cost
    if list > 1 then prioritized = prioritized + 1 end
    if last ~= shared or list > 1 then waiting, left_flows = waiting + 1, left_flows - 1 end
  end

  -- Note how far all are. Move up to `most` messages to the queue's own list if it is empty.
  function made.finish(most)
    local moved = {}
    while shared.left[1] == 0 and #moved < most do
      local message = made.pop()
      if not message then break end
      moved[#moved + 1] = message
    end
    if current then end_turn() end
    note_choices(shared)
    if #moved > 0 then redis.call('LPUSH', queue, unpack(moved)) end
    -- What waits in this list was not taken by a worker, so it is as if it had come back.
    if left_flows > 0 then redis.call('HINCRBY', queued, 'left_flows', left_flows) end
    if shared.left[1] + #moved > 0 then
      redis.call('ZREMRANGEBYSCORE', idle, '-inf', virtual)
    else
      redis.call('DEL', idle, FLOW_CHOICES .. queue)
    end
    -- Nobody waits who could be behind others, or ahead of them.
    if waiting == 0 and redis.call('EXISTS', idle) == 0 then
      redis.call('HDEL', queued, 'flowing', 'virtual', 'shared', 'charged', 'prioritized')
      return
    end
    local counts = { 'flowing', waiting, 'charged', charged + #moved, 'prioritized', prioritized }
    redis.call('HSET', queued, 'virtual', virtual, 'shared', shared.time, unpack(counts))
  end

  made.waiting = own + waiting
  return made
end
