-- Counts what the versions of a split alias do, apart by the share that each had. A library, put in
-- front of settle.lua. `told`: for each split, its outcomes as { index, share, key, failed }, and
-- its model calls as { share, bucket }. Only outcomes that were written count.
-- Fields of a split's hash: "version:share:what", where what is answered, failed, errors (failures,
-- but one for each sticky key), calls, t and a bucket of the seconds of a call, labelled, or wrong
-- (labels, but one for each sticky key).
local function is_first(split, key, what)
  local erring = COMPARED .. split .. ':' .. what
  if key == '' then return true end
  if redis.call('SCARD', erring) >= MAX_ERRING then return false end
  redis.call('EXPIRE', erring, COMPARED_SECONDS)
  return redis.call('SADD', erring, key) == 1
end

local function count_arms(told, version, is_written)
  local number = string.match(version, '[^:]*$')
  for split, seen in pairs(told) do
    local counts = {}
    local function add(share, what)
      local field = number .. ':' .. share .. ':' .. what
      counts[field] = (counts[field] or 0) + 1
    end
    for _, outcome in ipairs(seen.outcomes) do
      local index, share, key, failed = unpack(outcome)
      if is_written[index] then
        add(share, 'answered')
        if failed then
          add(share, 'failed')
          if is_first(split, key, 'erring') then add(share, 'errors') end
        end
      end
    end
    for _, call in ipairs(seen.calls) do
      add(call[1], 'calls')
      add(call[1], 't' .. call[2])
    end
    for field, amount in pairs(counts) do redis.call('HINCRBY', COMPARED .. split, field, amount) end
    redis.call('EXPIRE', COMPARED .. split, COMPARED_SECONDS)
  end
end

local function count_label(split, number, share, key, is_wrong)
  local arm = number .. ':' .. share .. ':'
  redis.call('HINCRBY', COMPARED .. split, arm .. 'labelled', 1)
  if is_wrong and is_first(split, key, 'mistaken') then
    redis.call('HINCRBY', COMPARED .. split, arm .. 'wrong', 1)
  end
  redis.call('EXPIRE', COMPARED .. split, COMPARED_SECONDS)
end
