-- Uses: messages
-- KEYS: records.
-- Returns the state of each; false for a key that is missing or holds no record.
local records = KEYS
local states = {}
for i, key in ipairs(records) do states[i] = state_of(key) or false end
return states
