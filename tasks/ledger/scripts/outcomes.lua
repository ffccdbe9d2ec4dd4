-- Shared by scripts that write outcomes. Needs messages, in_flight and webhooks.events.
-- Add an outcome to the stream of events, while they are followed. `version`: of the form
-- model:version.
local is_followed
local function add_event(id, state, version)
  if is_followed == nil then is_followed = redis.call('EXISTS', FOLLOWED) == 1 end
  if not is_followed then return end
  redis.call('XADD', EVENTS, 'MAXLEN', '~', MAX_EVENTS, '*', 'id', id, 'status', state, 'version', version)
  redis.call('PUBLISH', EVENTS, '')
end

-- An outcome was written. Publish it: on its record's key, to which a stock result backend listens, and if the id
-- has a mark, on the channel of the process that waits for it; and add it to the events.
local function publish(key, id, outcome, state, version)
  let_go(id)
  redis.call('PUBLISH', key, outcome)
  local mark = string.sub(id, 16, 18)
  if mark >= '800' then
    redis.call('PUBLISH', OUTCOMES .. mark, id .. (#outcome <= MAX_PUBLISHED and outcome or ''))
  end
  add_event(id, state, version)
end

-- Record the event of an outcome, once its dead letter is buried if it left one.
local has_webhooks
local function tell_webhook(id, state, version)
  if has_webhooks == nil then has_webhooks = redis.call('EXISTS', WEBHOOKS) == 1 end
  local target = has_webhooks and redis.call('HGET', WEBHOOKS, id)
  if target then
    record_event(id, cjson.decode(target), 'prediction.' .. state, version)
    drop_webhook(id)
  end
end
