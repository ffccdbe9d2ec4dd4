"""Learns how many rows of a model make a batch that does not keep its callers waiting."""

MOST_ROWS = 256
"""Beyond it a batch gains nothing: what is done for each request outweighs the call."""
MAX_BATCH_SECONDS = 1.0
"""Seconds that a batch may take, where a single request is quicker than half of it."""
MOMENT = 0.05
"""Seconds for which the end of a batch is awaited, rather than another started beside it."""


class BatchSize:
    """The pace of one method of one version.

    A batch may take twice as long as the quickest one did, and `MAX_BATCH_SECONDS` at least. A
    model that needs as long for many rows as for one soon gets many; one that takes its time for
    each row gets few. The first batch is a single request: that tells.
    """

    def __init__(self) -> None:
        self.rows = 1
        """That a batch may have now."""
        self._quickest = self._latest = float("inf")
        self._latest_rows = 1

    def is_worth_awaiting(self, rows: int, requests: int) -> bool:
        """Whether the next batch had better wait for one of so many rows and requests.

        That is so where it will be over in a moment, took all there was, since one more like those
        would have fitted, and where company is cheap: a row takes half of a lone call at most.
        """
        took_all = rows + rows / requests <= self.rows
        is_cheap = 2 * self._latest / self._latest_rows <= self._quickest
        return requests > 1 and took_all and is_cheap and self._latest <= MOMENT

    def took(self, rows: int, seconds: float) -> None:
        """A batch of so many rows took so long."""
        self._latest, self._latest_rows = seconds, rows
        self._quickest = min(self._quickest, seconds)
        allowed = max(2 * self._quickest, MAX_BATCH_SECONDS)
        self.rows = max(1, min(MOST_ROWS, int(allowed * rows / max(seconds, 1e-6))))
