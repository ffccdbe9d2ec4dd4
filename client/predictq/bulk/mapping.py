"""Maps rows to predictions, a few windows at a time."""

import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from predictq.bulk.errors import BulkError
from predictq.bulk.lines import line_groups, lines
from predictq.bulk.results import Results
from predictq.bulk.submitting import Answer, LineGroup, submit
from predictq.errors import PredictqError
from predictq.http.flows import Flow, Item, Stream
from predictq.http.requests import Requests
from predictq.http.retries import Deadline
from predictq.types import Prediction

GROUP_ROWS = 1000
"""Rows of one request of `submit_many`."""
WINDOW_ROWS = 500
"""Rows of one request of `map`."""
WINDOWS = 3
"""Windows of `map` submitted at a time: one is awaited, while the others keep workers busy."""
Progress = Callable[[int], object]
"""Called with the number of finished rows."""


Outcome = Prediction | PredictqError


@dataclass(frozen=True)
class Bulk:
    """Submits rows as predictions of their own, and maps them to their outcomes."""

    requests: Requests
    results: Results

    def submit(
        self, rows: Any, query: dict[str, Any], key: str, deadline: Callable[[], Deadline]
    ) -> Flow[list[str]]:
        """Submit all rows; raises `BulkError` if some were refused."""
        answers: list[Answer] = []
        for number, group in enumerate(line_groups(lines(rows), GROUP_ROWS)):
            request = LineGroup(group, query, f"{key}-{number}")
            answers += yield from submit(self.requests, request, deadline())
        ids = [answer for answer in answers if isinstance(answer, str)]
        if len(ids) < len(answers):
            raise BulkError(answers)
        return ids

    def map(
        self,
        rows: Any,
        query: dict[str, Any],
        deadline: Callable[[], Deadline],
        *,
        ordered: bool,
        progress: Progress,
    ) -> Stream[Outcome]:
        """Yield the outcome of each row; rows are read as windows are submitted."""
        key, done = uuid.uuid4().hex, 0
        submitted: deque[list[Answer]] = deque()
        for number, group in enumerate(line_groups(lines(rows), WINDOW_ROWS)):
            request = LineGroup(group, query, f"{key}-{number}")
            submitted.append((yield from submit(self.requests, request, deadline())))
            if len(submitted) == WINDOWS:
                window = submitted.popleft()
                yield from self._outcomes(window, deadline(), ordered)
                progress(done := done + len(window))
        for window in submitted:
            yield from self._outcomes(window, deadline(), ordered)
            progress(done := done + len(window))

    def _outcomes(self, answers: list[Answer], until: Deadline, ordered: bool) -> Stream[Outcome]:
        ids = [answer for answer in answers if isinstance(answer, str)]
        if ordered:
            found = iter((yield from self.results.wait(ids, until)))
            for answer in answers:
                yield Item(next(found).outcome if isinstance(answer, str) else answer)
            return
        for answer in answers:
            if not isinstance(answer, str):
                yield Item(answer)
        yield from self.results.as_completed(ids, until, lambda each: each.outcome)
