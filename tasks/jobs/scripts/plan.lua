-- Uses: messages, pausing, jobs.jobs
-- Store the result of validation: push the first chunks or, after a dry run, complete the job.
-- ARGV: id, tag, facts, report, total, chunks, most bad rows (-1 for no limit),
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
