"""Makes copies of answered predictions for shadows, and compares the answers to copies.

Both happen after the outcomes are written, so they neither delay nor fail an answer.
"""

import logging
import random
import time
from collections.abc import Iterator, Sequence
from typing import Any

from registry.shadows.shadows import takes_the_same
from registry.store import Registry
from tasks.callers.caller import DEFAULT_TENANT
from tasks.messages import CopyOf, Prediction
from tasks.shadows.shadows import Compared, Disagreement, Shadows, deadline
from telemetry.errors import PredictqError
from workers.compute.admission import AdmittedRequest

log = logging.getLogger(__name__)
MAX_COPIES = 16
"""Most copies that are made of one microbatch."""
MAX_ROWS_OF_COPY = 1000
MAX_EXAMPLES_OF_COPY = 3
_SHOWN_COLUMNS = 100
CopyAnswer = tuple[list[Any], Any] | PredictqError
"""Predictions of a request and the call's details, or the error."""


class Shadowing:
    """The copies and comparisons of one process."""

    def __init__(self, registry: Registry, shadows: Shadows) -> None:
        self._registry, self._shadows = registry, shadows
        self._copies: list[Prediction] = []
        self._answered: list[tuple[AdmittedRequest, CopyOf, CopyAnswer]] = []

    def note(self, group: Sequence[AdmittedRequest], answers: Sequence[CopyAnswer]) -> None:
        """Note the answers to copy or compare once the outcomes are written."""
        for asked, answered in zip(group, answers, strict=True):
            if asked.copy_of is not None:
                self._answered.append((asked, asked.copy_of, answered))
            elif asked.shadow is not None and not isinstance(answered, PredictqError):
                self._note_copy(asked, answered[0])

    def act(self) -> None:
        """Send the copies, and add up the comparisons; raises nothing."""
        copies, answered = self._copies, self._answered
        if not (copies or answered):
            return
        self._copies, self._answered = [], []
        try:
            if copies:
                self._shadows.send(copies)
            for asked, copy, answer in answered:
                self._shadows.add(copy, *_compared(asked, copy, answer))
        except Exception as error:  # noqa: BLE001 - the outcomes are written already, and an error here must not reach them
            log.warning("copies for shadows are passed over: %s", error)

    def _note_copy(self, asked: AdmittedRequest, predictions: list[Any]) -> None:
        shadow, record, rows = asked.shadow, asked.record, asked.rows
        if shadow is None or len(self._copies) >= MAX_COPIES or not isinstance(rows, list):
            return
        if len(rows) > MAX_ROWS_OF_COPY or random.random() * 100 >= shadow.rate:  # noqa: S311 - no secret
            return
        if shadow.version == record.version or not self._fits(asked, shadow.version):
            return
        self._copies.append(
            Prediction(
                model=record.model,
                version=shadow.version,
                # Only the caller's prediction is copied: a copy has no shadow of its own.
                alias=None,
                method=record.method,
                features=rows,
                created_at=time.time(),
                queue_deadline=deadline(),
                tenant=record.tenant or DEFAULT_TENANT,
                copy_of=CopyOf(
                    split=f"{record.model}@{record.alias}",
                    since=shadow.since,
                    version=record.version,
                    tolerance=shadow.tolerance,
                    predictions=predictions,
                ),
            )
        )

    def _fits(self, asked: AdmittedRequest, version: int) -> bool:
        """Whether the shadow exists, is ready, and takes the same rows."""
        try:
            theirs = self._registry.resolve(f"{asked.record.model}:{version}").manifest
            is_ready = self._registry.readiness(theirs).status == "ready"
        except (PredictqError, OSError):  # removed meanwhile
            return False
        return is_ready and takes_the_same(asked.manifest.signature, theirs.signature)


def _compared(
    asked: AdmittedRequest, copy: CopyOf, answered: CopyAnswer
) -> tuple[Compared, list[Disagreement]]:
    rows = len(copy.predictions)
    has_failed = isinstance(answered, PredictqError)
    theirs = [None] * rows if isinstance(answered, PredictqError) else answered[0]
    differing = [*_differing(copy, theirs)] if not has_failed else list(range(rows))
    examples = [
        Disagreement(
            row=[*asked.rows[index]][:_SHOWN_COLUMNS] if isinstance(asked.rows, list) else [],
            method=asked.record.method,
            stable=copy.predictions[index],
            shadow=theirs[index],
        )
        for index in differing[:MAX_EXAMPLES_OF_COPY]
    ]
    failed = rows if has_failed else 0
    return Compared(rows=rows, disagreed=len(differing), failed=failed), examples


def _differing(copy: CopyOf, theirs: Sequence[Any]) -> Iterator[int]:
    for index, (ours, their) in enumerate(zip(copy.predictions, theirs, strict=True)):
        if not agree(ours, their, copy.tolerance):
            yield index


def agree(one: Any, other: Any, tolerance: float) -> bool:
    """Whether two answers for a row agree: labels exactly, numbers within the tolerance."""
    if isinstance(one, list) and isinstance(other, list):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(agree(a, b, tolerance) for a, b in pairs)
    if isinstance(one, float) or isinstance(other, float):
        try:
            return bool(abs(one - other) <= tolerance * max(abs(one), abs(other), 1.0))
        except TypeError:
            return False
    return type(one) is type(other) and bool(one == other)
