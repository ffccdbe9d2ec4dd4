"""The spans of a microbatch, dated back from the times that its outcomes have."""

from collections.abc import Mapping, Sequence

from tasks.ledger.predictions.attempts import Start
from tasks.ledger.predictions.settled import Settled
from tasks.ledger.queue.reservations import queue_of_tag
from tasks.record import Record
from telemetry.errors import WorkerLost
from telemetry.tracing.span import MAX_LINKS, Attributes, TraceSpan, child, messaging
from telemetry.tracing.traceparent import SpanContext, known_context, new_span_id, new_trace_id
from workers.compute.disposition import Decision
from workers.protocol import Instruction, Item

_Times = tuple[float, float]


def spans_of(
    items: Sequence[Item], starts: Sequence[Start], decisions: Mapping[str, Decision], times: _Times
) -> list[TraceSpan]:
    """The span of the microbatch, and those of each sampled request, `MAX_LINKS` of them at most.

    ``decisions``: by tag, as they were written. ``times``: when it began, and when that was done,
    in Unix seconds.
    """
    batch = SpanContext(new_trace_id(), new_span_id())
    spans: list[TraceSpan] = []
    links: list[tuple[str, str]] = []
    for item, start in zip(items, starts, strict=True):
        if not item.traceparent:
            continue
        decision = decisions.get(item.tag)
        if decision is None or len(links) == MAX_LINKS:
            continue
        sent = known_context(item.traceparent)
        links.append((sent.trace_id, sent.span_id))
        attempt = start if isinstance(start, int) else 0
        spans += _of_request(sent, batch, item, attempt, decision, times)
    return [_of_microbatch(batch, items, links, times), *spans] if links else []


def _of_microbatch(
    batch: SpanContext, items: Sequence[Item], links: list[tuple[str, str]], times: _Times
) -> TraceSpan:
    queue = queue_of_tag(items[0].tag)
    attributes = {**messaging(queue, "process"), "messaging.batch.message_count": len(items)}
    ids = batch.trace_id, batch.span_id, ""
    return TraceSpan(f"process {queue}", "consumer", *ids, *times, attributes, links)


def _of_request(
    sent: SpanContext,
    batch: SpanContext,
    item: Item,
    attempt: int,
    decision: Decision,
    times: _Times,
) -> list[TraceSpan]:
    began, settled = times
    record, error = _ended(decision)
    attributes: Attributes = {
        **messaging(queue_of_tag(item.tag), "process"),
        "messaging.message.id": item.id,
        "predictq.attempt": attempt,
    }
    if record is not None:
        attributes |= _of_record(record)
    if isinstance(decision, Settled) and decision.dead_after is not None:
        attributes["predictq.dead_letter"] = True
    links = [(batch.trace_id, batch.span_id)]
    # An item whose attempt was ended, as by its time limit, is only settled here.
    name = "attempt" if item.instruction is Instruction.COMPUTE else "settle"
    own = child(sent, name, "consumer", times, attributes, links=links, error=error)
    spans = [own, *_parts(own.context, record, settled)]
    if attempt == 1 and record is not None and name == "attempt":
        spans.append(child(sent, "queued", "internal", (record.created_at, began), {}))
    return spans


def _ended(decision: Decision) -> tuple[Record | None, str]:
    """The outcome, and the code of its error; a request that is retried has no outcome."""
    if not isinstance(decision, Settled):
        return None, decision.error.code
    error = decision.record.error
    return decision.record, error.code if error else ""


def _of_record(record: Record) -> Attributes:
    told: Attributes = {
        "predictq.model": record.model,
        "predictq.version": record.version,
        "predictq.outcome": record.state,
    }
    if record.tenant:
        told["predictq.tenant"] = record.tenant
    return told | ({"predictq.batch_size": record.receipt.batch_size} if record.receipt else {})


def _parts(attempt: SpanContext, record: Record | None, settled: float) -> list[TraceSpan]:
    """The call of the model and the write of the outcome, by the times in the receipt."""
    receipt = record.receipt if record else None
    if record is None or receipt is None:
        return []
    called = record.created_at + receipt.queue_ms / 1000
    answered = called + receipt.compute_ms / 1000
    return [
        child(attempt, "model", "internal", (called, answered), {}),
        child(attempt, "settle", "internal", (answered, settled), {}),
    ]


def lost_attempt(sent: SpanContext, tag: str, task_id: str, times: _Times) -> TraceSpan:
    """The span of an attempt whose process died; its worker makes it."""
    told = messaging(queue_of_tag(tag), "process")
    attributes = {**told, "messaging.message.id": task_id}
    return child(sent, "attempt", "consumer", times, attributes, error=WorkerLost.code)


def settled_spans(traceparent: str, settled: Settled, times: _Times) -> list[TraceSpan]:
    """The span of an outcome that was written without an attempt, if it is sampled."""
    if not traceparent:
        return []
    sent, record = known_context(traceparent), settled.record
    told = messaging(queue_of_tag(settled.tag or ""), "process")
    attributes = {**told, "messaging.message.id": record.task_id, **_of_record(record)}
    if settled.dead_after is not None:
        attributes["predictq.dead_letter"] = True
    error = record.error.code if record.error else ""
    return [child(sent, "settle", "internal", times, attributes, error=error)]
