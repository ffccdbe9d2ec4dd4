"""What the callers submit: single rows, Arrow streams and bulk requests, at random."""

import itertools
from collections import defaultdict, deque
from random import Random

from benchmarks.prove.callers.submissions import BulkRequest, Request
from benchmarks.prove.callers.tenants import Tenants
from benchmarks.prove.witness import CALM, FIRST, RAISES

ARROW_SHARE = 0.2
"""Share of the other submissions whose row is an Arrow stream."""
BULK_SHARE, BULK_LINES = 0.02, 30
"""Share of the submissions that are bulk requests, and the lines of each: 38% of all rows."""
REUSING_SHARE = 0.3
"""Share of the rows whose answer may be reused; half of them repeat the row of a recent one."""
RECENT = 20
"""How many rows of a tenant may be repeated."""
WEBHOOK_SHARE = 0.1
"""Share of the other rows whose outcome is sent to the receiver."""


class Mix:
    """Chooses the next submission."""

    def __init__(self, chance: Random, tenants: Tenants, webhook: str, *, is_plain: bool) -> None:
        """``webhook``: address of the receiver. ``is_plain``: whether only JSON is taken."""
        self._chance, self._tenants, self._webhook = chance, tenants, webhook
        self._is_plain, self._numbers = is_plain, itertools.count(FIRST)
        self._recent: defaultdict[int, deque[int]] = defaultdict(lambda: deque(maxlen=RECENT))
        self.mischief: deque[tuple[int, float]] = deque()
        """Misbehaviour that the next requests ask of the model: kind and seconds."""

    def next(self) -> Request | BulkRequest:
        """The next submission."""
        tenant = self._tenants.next()
        if not self._is_plain and self._chance.random() < BULK_SHARE:
            return BulkRequest([self._row(tenant) for _ in range(BULK_LINES)])
        request = self._row(tenant)
        may_be_arrow = not self._is_plain and not request.asked.has_webhook
        return request.in_arrow() if may_be_arrow and self._falls(ARROW_SHARE) else request

    def _row(self, tenant: int) -> Request:
        number, chance = next(self._numbers), self._chance.random()
        kind, seconds = RAISES if chance < 0.01 else CALM, 0.0
        if self.mischief:
            (kind, seconds), chance = self.mischief.popleft(), 0.5
        request = Request.of(number, kind, seconds, chance, tenant)
        if self._is_plain:
            return request
        request = request.prioritized()
        if kind == CALM and self._falls(REUSING_SHARE):
            return self._reusing(request)
        return request.with_webhook(self._webhook) if self._falls(WEBHOOK_SHARE) else request

    def _reusing(self, request: Request) -> Request:
        recent = self._recent[request.asked.tenant]  # no answer is reused across tenants
        if recent and self._falls(0.5):
            return request.reusing(self._chance.choice(recent))
        recent.append(request.asked.number)
        return request.reusing(0)

    def _falls(self, share: float) -> bool:
        return self._chance.random() < share
