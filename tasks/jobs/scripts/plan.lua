-- Uses: messages, tags, pausing, webhooks.events, jobs.jobs
-- Store the result of validation: push the first chunks or, after a dry run, complete the job.
-- ARGV: id, tag, facts, report, total, chunks, most bad rows (empty for no limit), 1 for a dry run.
local id, tag, facts, report, total, chunk_count, most_failures, dry_run = unpack(ARGV)
use_job(id)
drop('validate', tag)
-- Else the job was cancelled meanwhile, or a frozen worker's successor has stored its plan.
if redis.call('HGET', job, 'status') == 'validating' then
  redis.call('HSET', job, 'facts', facts, 'report', report)
  if dry_run == '1' then
    set_status('completed')
  else
    redis.call('HSET', job, 'total', total, 'chunks', chunk_count, 'next', 0, 'revisits', 1)
    if optional(most_failures) then redis.call('HSET', job, 'most_failures', most_failures) end
    set_status('queued')
    finalize_or_go_on(true)
  end
end
complete_cancellation()
publish_change()
