-- Uses: arms
-- Count once how good a prediction was.
-- KEYS: the mark of the prediction, the sums of its version on this day.
-- ARGV: seconds to keep the mark, seconds to keep the sums; what is added to the sums, and of a split
--       the arm, as JSON.
-- Returns 1, or 0 if it was counted before.
local mark, sums = KEYS[1], KEYS[2]
local mark_seconds, sum_seconds, told = ARGV[1], ARGV[2], cjson.decode(ARGV[3])
if not redis.call('SET', mark, '1', 'NX', 'EX', mark_seconds) then return 0 end
for what, amount in pairs(told.sums) do
  redis.call('HINCRBYFLOAT', sums, what, string.format('%.17g', amount))
end
redis.call('EXPIRE', sums, sum_seconds)
if told.arm then count_label(unpack(told.arm)) end
return 1
