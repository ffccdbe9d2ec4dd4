-- Events for webhooks: a library, put in front of scripts that write outcomes, with the key layout.
-- What an event is about, a prediction or a batch job, is its subject, under its id.

-- Redis's seconds.
local function seconds_now()
  local now = redis.call('TIME')
  return now[1] .. string.format('.%06d', now[2])
end

-- Have an origin looked at by a deliverer, at this time at the latest.
local function send_at(subject, origin, at)
  redis.call('ZADD', WEBHOOK_DUE .. origin, at, subject)
  redis.call('ZADD', WEBHOOK_ORIGINS, 'LT', at, origin)
end

-- Forget a webhook, unless it has an event to send, or its prediction may be replayed.
local function drop_webhook(subject)
  if redis.call('EXISTS', WEBHOOK_EVENTS .. subject) == 0
    and redis.call('HEXISTS', DEAD_LETTERS, subject) == 0 then
    redis.call('HDEL', WEBHOOKS, subject)
  end
end

-- Put an event behind those of the same subject; only the first of them is sent.
local function put_event(subject, origin, event)
  if redis.call('RPUSH', WEBHOOK_EVENTS .. subject, event) == 1 then
    send_at(subject, origin, seconds_now())
  end
end

local function is_wanted(target, kind)
  for _, each in ipairs(target.events or {}) do
    if each == kind then return true end
  end
  return not target.events
end

-- Record an event, if the webhook is to have it. `version`: of the form model:version.
local function record_event(subject, target, kind, version)
  if not is_wanted(target, kind) then return end
  local at = seconds_now()
  put_event(subject, target.origin, cjson.encode({
    id = 'evt_' .. subject .. '_' .. string.gsub(at, '%.', ''), at = at,
    type = kind, subject = subject, version = version, url = target.url, origin = target.origin,
    traceparent = target.traceparent,
  }))
end
