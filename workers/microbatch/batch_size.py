"""Learns how many rows a microbatch may have before its callers wait too long."""

from collections import defaultdict

MAX_ROWS = 256
"""Largest microbatch. Beyond it the work per request outweighs what sharing a call saves."""
MAX_MICROBATCH_SECONDS = 1.0
"""Seconds that a microbatch may take, or twice its quickest run if that is longer."""
MAX_BATCH_WAIT = 0.05
"""Longest wait, in seconds, for a running microbatch before another starts beside it."""
SLOW_CALL = 0.5
"""Seconds from which on a call is slow: others would notice that they wait for it."""


class BatchSize:
    """The microbatch size of one method of one version, in rows.

    A microbatch may take twice as long as the quickest one so far, or `MAX_MICROBATCH_SECONDS` if
    that is longer. A model whose run time hardly depends on the rows soon gets many rows; one whose
    run time grows with each row gets few. The first microbatch is a single request, which gives
    the first measurement.
    """

    def __init__(self) -> None:
        self.rows = 1
        """Rows that the next microbatch may have."""
        self._quickest = self._latest = float("inf")
        self._latest_rows = 1

    def should_wait_for(self, rows: int, requests: int) -> bool:
        """Whether the next microbatch should wait for one that starts now with these rows.

        True if the running one is expected to end within `MAX_BATCH_WAIT`, if it emptied the queue,
        and if sharing a call is cheap: in the latest run a row took at most half of the quickest
        call.
        """
        # Another request of average size would still have fitted, so none was left on the queue.
        took_all = rows + rows / requests <= self.rows
        is_cheap = 2 * self._latest / self._latest_rows <= self._quickest
        return requests > 1 and took_all and is_cheap and self._latest <= MAX_BATCH_WAIT

    @property
    def is_slow(self) -> bool:
        """Whether even the quickest microbatch so far took `SLOW_CALL`; False before the first."""
        return SLOW_CALL <= self._quickest < float("inf")

    def learn(self, rows: int, seconds: float) -> None:
        """Learn from a microbatch of ``rows`` rows that ran for ``seconds``."""
        self._latest, self._latest_rows = seconds, rows
        self._quickest = min(self._quickest, seconds)
        allowed = max(2 * self._quickest, MAX_MICROBATCH_SECONDS)
        # Run time is taken as proportional to the rows. Where calls have a fixed cost, the size
        # grows over several microbatches rather than at once.
        self.rows = max(1, min(MAX_ROWS, int(allowed * rows / max(seconds, 1e-6))))


class BatchSizes:
    """The batch size of each method of each version that this worker has computed."""

    def __init__(self) -> None:
        self._sizes: defaultdict[tuple[str | None, str | None], BatchSize] = defaultdict(BatchSize)
        self.latest_rows = 1
        """Rows that the next microbatch of the latest version and method may have."""

    def of(self, reference: str | None, method: str | None) -> BatchSize:
        """The batch size of one method of one version."""
        return self._sizes[reference, method]

    def learn(self, reference: str, method: str | None, rows: int, seconds: float) -> None:
        """Learn from a microbatch of ``rows`` rows that ran for ``seconds``."""
        batch_size = self.of(reference, method)
        batch_size.learn(rows, seconds)
        self.latest_rows = batch_size.rows

    def slow_versions(self) -> set[str | None]:
        """The versions with a slow method."""
        return {reference for (reference, _), size in self._sizes.items() if size.is_slow}
