"""The span of what was sent: which message it was, and what became of its acceptance."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import redis

from tasks.ledger.predictions.acceptance import (
    CERTAIN,
    Accepted,
    Offer,
    Reused,
    note_limits,
    read_accept_answer,
    uncertain,
)
from tasks.ledger.queue.bounds import Bounds
from telemetry.errors import PredictqError
from telemetry.tracing.span import Attributes, messaging
from telemetry.tracing.traceparent import sampled_context

_of_leader = re.compile(rb',"traceparent":"([0-9a-f-]{55})"}$')


@contextmanager
def uncertain_if_sent(offer: Offer) -> Iterator[None]:
    """Raise `SubmissionUncertain`, with the id, if the connection fails after sending."""
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError) as error:
        note_unsent([offer], error)
        if isinstance(error, CERTAIN):
            raise
        raise uncertain(offer.record.task_id) from error


def read_accept_answers(
    answers: Sequence[Any], offers: Sequence[Offer], bounds: Bounds
) -> list[Accepted | PredictqError]:
    """What was accepted, or why not, for each offer; ends the spans of those that are sampled."""
    note_limits(answers, offers)
    told = answers[: len(offers)]
    read = [read_accept_answer(*each, bounds) for each in zip(told, offers, strict=True)]
    for offer, answer, accepted in zip(offers, told, read, strict=True):
        if offer.sending is not None and not offer.sending.is_ended:
            _end(offer, answer, accepted, len(offers))
    return read


def note_unsent(offers: Sequence[Offer], error: Exception) -> None:
    """End the spans of offers about which Redis did not answer."""
    for offer in offers:
        if offer.sending is not None:
            told = _attributes(offer, len(offers)), (), type(error).__name__
            offer.sending.end(f"send {offer.queue}", *told)


def _end(offer: Offer, answer: Any, accepted: Accepted | PredictqError, many: int) -> None:
    assert offer.sending  # noqa: S101 - only those are given
    attributes, links = _attributes(offer, many), []
    match answer:
        case [b"joined", leader, traceparent]:
            attributes["predictq.leader"] = leader.decode()
            links = _link(traceparent.decode())
        case [b"reused", outcome]:
            found = _of_leader.search(outcome)
            links = _link(found[1].decode()) if found else []
    if isinstance(accepted, Reused):
        attributes["predictq.cached"] = True
    elif isinstance(accepted, str) and many == 1:
        attributes["messaging.message.id"] = accepted
    error = accepted.code if isinstance(accepted, PredictqError) else ""
    offer.sending.end(f"send {offer.queue}", attributes, links, error)


def _attributes(offer: Offer, many: int) -> Attributes:
    record = offer.record
    told: Attributes = {
        **messaging(offer.queue, "send"),
        "predictq.model": record.model,
        "predictq.version": record.version,
        **({"predictq.tenant": record.tenant} if record.tenant else {}),
    }
    if many == 1:
        return {**told, "messaging.message.id": record.task_id}
    return {**told, "messaging.batch.message_count": many}


def _link(traceparent: str) -> list[tuple[str, str]]:
    found = sampled_context(traceparent)
    return [(found.trace_id, found.span_id)] if found else []
