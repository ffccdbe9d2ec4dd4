-- A job is validated: its first chunks go to the queue, or, after a dry run, it is over.
-- ARGV: id, tag, facts, report, total, chunks, most rows that may fail (-1: any number),
--       1 for a dry run.
drop('validate', ARGV[2])
if redis.call('HGET', job, 'status') == 'validating' then
  redis.call('HSET', job, 'facts', ARGV[3], 'report', ARGV[4])
  if ARGV[8] == '1' then
    enter('completed')
  else
    redis.call('HSET', job, 'total', ARGV[5], 'chunks', ARGV[6], 'most_failures', ARGV[7], 'next', 0,
      'revisits', 1)
    enter('queued')
    finalize_or_go_on(true)
  end
end
land()
tell()
