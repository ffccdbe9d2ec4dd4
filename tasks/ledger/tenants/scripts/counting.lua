-- Counts what was answered for tenants. A library, put in front of settle.lua. Needs storing.
-- Only the first tenants have counts of their own: each is a label of metrics.
local function label_of(tenant)
  if redis.call('SISMEMBER', TENANTS_COUNTED, tenant) == 1 then return tenant end
  if redis.call('SCARD', TENANTS_COUNTED) >= MAX_TENANTS_COUNTED then return 'other' end
  redis.call('SADD', TENANTS_COUNTED, tenant)
  return tenant
end

-- `told`: the indexes of the outcomes of each tenant.
local function count_tenants(told, is_written, outcome_at, ttl)
  for tenant, indexes in pairs(told) do
    local counts, bytes = {}, 0
    for _, i in ipairs(indexes) do
      local outcome, state, rows = outcome_at(i)
      if is_written[i] then
        counts[state] = (counts[state] or 0) + 1
        counts.rows = (counts.rows or 0) + rows
        bytes = bytes + #outcome
      end
    end
    for what, amount in pairs(counts) do
      redis.call('HINCRBY', TENANTS, label_of(tenant) .. ' ' .. what, amount)
    end
    if bytes > 0 then note_stored(tenant, bytes, ttl) end
  end
end
