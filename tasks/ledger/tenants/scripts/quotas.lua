-- The quotas of a tenant, for accept.lua. Needs messages and storing.
-- `text`: the tenant, most of its rows that may wait in the queue, most bytes of its outcomes; 0 is
-- no quota.
local function quotas_of(text, queue, ttl)
  local tenant, most_rows, most_bytes = string.match(text, '^(%S+) (%d+) (%d+)$')
  most_rows, most_bytes = tonumber(most_rows), tonumber(most_bytes)
  local made, key = {}, QUEUED_BY_TENANT .. queue

  -- A prediction whose outcome would be kept: { "quota", which, seconds until there is capacity }.
  function made.stored_refusal()
    local stored = stored_key(tenant, ttl)
    if most_bytes == 0 or tonumber(redis.call('HGET', stored, 'bytes') or 0) < most_bytes then return end
    local length = ttl / PERIODS
    local bytes, oldest = forget_periods(stored, math.floor(clock() / length))
    if bytes < most_bytes then return end
    return { 'quota', 'outcomes', math.ceil((oldest + PERIODS + 1) * length - clock()) }
  end

  function made.queued_refusal(rows_added)
    if most_rows == 0 then return end
    local rows = tonumber(redis.call('HGET', key, tenant) or 0)
    if rows + rows_added > most_rows then return { 'quota', 'queued' } end
  end

  function made.take(queued, message)
    redis.call('HSET', queued, 'by_tenant', 1) -- from now on, scripts look whose the messages are
    count_for_tenant(queue, message, 1)
  end

  -- The queue is empty: a purge of the list leaves the counts behind.
  function made.start_over()
    redis.call('HSET', key, tenant, 0)
  end

  return made
end
