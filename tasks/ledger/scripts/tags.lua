-- Shared by scripts that read tags of reservations. How tags are spelt is known here and in
-- `queue_of_tag` of tasks/ledger/queue/reservations.py.
-- A tag is the queue and a serial number. Messages that wait for a retry have a 0 in front of the
-- number: a tag of their own, which no worker holds.
local function tag_of(queue, serial)
  return queue .. ':' .. serial
end

local function queue_of_tag(tag)
  return string.match(tag, '^(.*):%d+$')
end

local function retry_tag(tag)
  return (string.gsub(tag, ':(%d+)$', ':0%1'))
end

-- The queue of a tag that a worker holds; nil for one that waits for a retry.
local function queue_of_reservation(tag)
  return string.match(tag, '^(.*):[1-9]%d*$')
end
