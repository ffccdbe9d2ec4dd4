"""Limits on how long a prediction may wait and compute, and on its attempts."""

MAX_QUEUE_SECONDS = 24 * 3600
"""Highest queue time limit, in seconds, that a caller may set."""
MIN_RUN_SECONDS = 0.05
"""Lowest run time limit, in seconds, that a caller may set. Sending a microbatch to its process and
arming the alarm takes milliseconds on a busy machine; a shorter limit would only kill processes."""
MAX_RUN_SECONDS = 300
"""Seconds that a microbatch may compute; then its process is killed."""
MAX_ATTEMPTS = 4
"""Attempts at one prediction that broken infrastructure may end. The first may share a microbatch,
and then another message can be at fault; after a process has died, a message runs alone."""
BACKOFF = 0.5
"""Seconds before the second attempt; doubles with each further one."""
OUTAGE = 4.0
"""Seconds before the second attempt if shared storage cannot be read: such outages last longer."""
