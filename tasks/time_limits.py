"""How long a prediction may wait and compute, and how often it is tried: the bounds of each."""

LONGEST_IN_QUEUE = 24 * 3600
"""Seconds that a caller may let a prediction wait, where it sets a bound at all."""
SHORTEST_RUN = 0.05
"""Seconds that a caller must let a computation take: less ends a process for nothing, since only
to hand a batch to it and to set its alarm takes milliseconds on a machine that has much to do."""
LONGEST_RUN = 300
"""Seconds that a batch may take, whoever asks for it; then its process ends."""
MAX_ATTEMPTS = 4
"""Computations of one prediction that broken infrastructure may end. The first may have been in
company, and then its end was perhaps another's fault; those after a process's death are alone."""
BACKOFF = 0.5
"""Seconds between the first attempt and the second; doubles with each."""
OUTAGE = 4.0
"""The same where a worker cannot read what all share: a volume is away for longer."""
