-- Uses: idle
-- Note that a worker has nothing to do.
-- ARGV: queue, worker, the versions that it holds, each between blanks.
note_idle(unpack(ARGV))
