-- Shared by scripts that note idle workers.
local function note_idle(queue, worker, versions)
  -- Not in the log: no worker is connected after a restart of Redis, and a sync of the disk would
  -- delay the next prediction.
  redis.set_repl(redis.REPL_NONE)
  -- `pcall`, as a full Redis refuses it: then messages only take the way over the queue.
  redis.pcall('HSET', IDLE .. queue, worker, versions)
  redis.set_repl(redis.REPL_ALL)
end
