-- Publish an outcome: on its record's key, to which a stock result backend listens, and if the id
-- has a mark, on the channel of the process that waits for it. While events are followed, it is added
-- to their stream, too. `version`: of the form model:version.
local is_followed, has_webhooks
local function look_who_is_told()
  -- One look for all outcomes of a call, as in most there is neither.
  local any = redis.call('EXISTS', FOLLOWED, WEBHOOKS) > 0
  is_followed = any and redis.call('EXISTS', FOLLOWED) == 1
  has_webhooks = any and redis.call('EXISTS', WEBHOOKS) == 1
end

local function publish(key, id, outcome, state, version)
  redis.call('PUBLISH', key, outcome)
  local mark = string.sub(id, 16, 18)
  if mark >= '800' then
    redis.call('PUBLISH', OUTCOMES .. mark, id .. (#outcome <= MAX_PUBLISHED and outcome or ''))
  end
  if is_followed == nil then look_who_is_told() end
  if not is_followed then return end
  redis.call('XADD', EVENTS, 'MAXLEN', '~', MAX_EVENTS, '*', 'id', id, 'status', state, 'version', version)
  redis.call('PUBLISH', EVENTS, '')
end

-- Record the event of an outcome that was published, and whose dead letter was buried if it left one.
local function tell_webhook(id, state, version)
  local target = has_webhooks and redis.call('HGET', WEBHOOKS, id)
  if target then
    record_event(id, cjson.decode(target), 'prediction.' .. state, version)
    forget_webhook(id)
  end
end
