"""Computes a microbatch in a pool process: start, check, call the models, settle."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from typing import Any, cast

from msgspec import UNSET, UnsetType

from registry.methods import INVERSE
from registry.store import Registry
from tasks.ledger.ledger import Ledger
from tasks.ledger.predictions.attempts import NotStarted, Start
from tasks.ledger.predictions.settled import Settled
from tasks.record import Receipt
from tasks.time_limits import MAX_RUN_SECONDS
from tasks.wire import encode_finite
from telemetry.errors import OutcomeTooLarge, PredictqError
from telemetry.tracing.span import TraceSpan
from workers.compute.admission import AdmittedRequest, admit
from workers.compute.bisection import bisect
from workers.compute.call_counter import NoteCall
from workers.compute.disposition import Decision, disposition_of, failed, note_decisions
from workers.compute.shadowing import Shadowing
from workers.compute.spans import spans_of
from workers.drift.counter import NoteRows
from workers.models.engine import Computed, Engine, predict
from workers.models.tabular.table import Table
from workers.protocol import Disposition, Item


class Computation:
    """Computes microbatches. Each usually costs two round trips to the ledger: start and settle.

    What was handed over costs only the second.
    """

    def __init__(
        self,
        engine: Engine,
        registry: Registry,
        ledger: Ledger,
        max_bytes: int,
        limited: Callable[[float], AbstractContextManager[None]] = lambda _: nullcontext(),
        environment: str | UnsetType = UNSET,
        note: NoteRows = lambda *_: None,
        shadowing: Shadowing | None = None,
        note_call: NoteCall = lambda *_: None,
        note_spans: Callable[[list[TraceSpan]], object] = lambda _: None,
    ) -> None:
        """``max_bytes``: the largest outcome; a larger one fails with `OutcomeTooLarge`.

        ``limited``: a context manager that kills this process after that many seconds.
        ``environment``: that of the deployment, for receipts. ``note``: is told rows with answers.
        ``shadowing``: makes copies for shadows, and compares their answers.
        ``note_call``: is told each call of a model. ``note_spans``: is given spans to export.
        """
        self._note_spans = note_spans
        self._note_call = note_call
        self._shadowing = shadowing
        self._note = note
        self._environment = environment
        self._max_bytes = max_bytes
        self._engine = engine
        self._registry = registry
        self._ledger = ledger
        self._limited = limited

    def run(self, items: Sequence[Item]) -> list[Disposition]:
        """Compute and settle each item, except those already settled or that must run alone.

        Returns one disposition per item, in order.
        """
        began, starts = time.time(), self._starts(items)
        # Around the computation alone: Redis may keep the other two waiting for long, and to kill
        # a process that waits to settle would cost its messages an attempt.
        with self._limited(_limit(items, starts)):
            decisions = self._decisions(items, starts)
        note_decisions(self._ledger, decisions.values())
        if any(item.traceparent for item in items):
            self._note_spans(spans_of(items, starts, decisions, (began, time.time())))
        if self._shadowing is not None:
            self._shadowing.act()
        return [
            disposition_of(decisions.get(item.tag), start)
            for item, start in zip(items, starts, strict=True)
        ]

    def _starts(self, items: Sequence[Item]) -> Sequence[Start]:
        if items[0].is_started:
            return [1]
        tagged_ids = [(item.tag, item.id) for item in items]
        return self._ledger.start(tagged_ids, [item.expires for item in items])

    def _decisions(self, items: Sequence[Item], starts: Sequence[Start]) -> dict[str, Decision]:
        """Tag → outcome or postponement of every item that was started."""
        decisions: dict[str, Decision] = {}
        groups: dict[Any, list[AdmittedRequest]] = defaultdict(list)
        for item, start in zip(items, starts, strict=True):
            if not _is_handled(start):
                continue
            read = admit(self._registry, item, start)
            if isinstance(read, AdmittedRequest):
                groups[_group(read)].append(read)
            else:
                decisions[item.tag] = read
        for group in groups.values():
            tags = (asked.item.tag for asked in group)
            decisions.update(zip(tags, self._answer(group), strict=True))
        return decisions

    def _answer(self, group: list[AdmittedRequest]) -> list[Decision]:
        """Outcomes or postponements of requests that can share a model call, in order."""
        started_at = time.time()
        answers = bisect(group, self._call)
        if self._shadowing is not None:
            self._shadowing.note(group, answers)
        return [
            failed(asked.record, asked.item, answer, asked.attempt)
            if isinstance(answer, PredictqError)
            else self._succeeded(asked, *answer, started_at)
            for asked, answer in zip(group, answers, strict=True)
        ]

    def _call(self, group: Sequence[AdmittedRequest]) -> list[tuple[list[Any], Computed]]:
        """Call the model once; gives each request its predictions and the call's details."""
        manifest, method = group[0].manifest, group[0].record.method
        rows = group[0].rows
        if len(group) > 1:  # of lists: a table has a call of its own
            rows = [row for asked in group for row in cast("list[list[Any]]", asked.rows)]
        began = time.time()
        computed = predict(self._engine, manifest, method, rows)
        waited = sum(max(began - asked.record.created_at, 0.0) for asked in group)
        self._note_call(manifest.reference, len(group), len(rows), waited, computed.milliseconds)
        if method != INVERSE:
            self._note(manifest, computed.given, {method: computed.output})
        predictions = iter(computed.predictions)  # `predict` checked that there is one per row
        return [([*islice(predictions, len(asked.rows))], computed) for asked in group]

    def _succeeded(
        self, asked: AdmittedRequest, predictions: list[Any], computed: Computed, started_at: float
    ) -> Decision:
        manifest, record = asked.manifest, asked.record
        receipt = Receipt(
            model=manifest.name,
            version=manifest.version,
            sha256=manifest.sha256,
            alias=record.alias,
            attempt=asked.attempt,
            # Clamped at 0, as the clocks of front end and worker may disagree.
            queue_ms=round(max(started_at - record.created_at, 0.0) * 1000, 3),
            compute_ms=computed.milliseconds,
            batch_size=len(computed.predictions),
            runtime=self._engine.runtime_of(manifest),
            environment=self._environment,
            tenant=record.tenant,
        )
        outcome = record.succeeded(predictions, receipt)
        # Redis keeps the outcome for its time to live, and publishes it to all that wait for it.
        if (size := len(encode_finite(outcome))) > self._max_bytes:
            error = OutcomeTooLarge(
                f"the outcome has {size} bytes, and the limit is {self._max_bytes}: ask for fewer "
                "rows at once, or score them as a file, by a batch job"
            )
            return failed(record, asked.item, error, asked.attempt)
        return Settled(outcome, asked.item.tag)


def _is_handled(start: Start) -> bool:
    """Whether an item is computed or settled here, not left as it is."""
    return start not in (NotStarted.DONE, NotStarted.SUSPECT)


def _limit(items: Sequence[Item], starts: Sequence[Start]) -> float:
    """Time limit of a microbatch in seconds: the smallest of the items that are handled."""
    pairs = zip(items, starts, strict=True)
    limits = (item.limit for item, start in pairs if _is_handled(start))
    return min(limits, default=MAX_RUN_SECONDS)


def _group(asked: AdmittedRequest) -> tuple[Any, ...]:
    """Key of requests that may share a model call.

    A request of an exact version has a call of its own, and so has a table: it is of many rows.
    """
    manifest = asked.manifest
    alone = asked.item.tag if manifest.exact or isinstance(asked.rows, Table) else None
    return manifest.name, manifest.version, manifest.sha256, asked.record.method, alone
