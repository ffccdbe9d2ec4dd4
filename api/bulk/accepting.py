"""Accepts a window of lines: checks each, submits them in one round trip, and words the answers."""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import msgspec
import redis
from msgspec.structs import replace

from api.bulk.gateway import AcceptedLine, BulkGateway, Submitted
from api.bulk.lines import MAX_LINE_BYTES, NumberedLine
from api.bulk.parsing import LineParser
from api.bulk.problems import LineProblem, line_problem
from api.callers.seeing import check_seen
from api.limits.byte_budget import UNCOUNTED_BYTES, ByteBudget
from api.predictions.defaults import Defaults
from api.predictions.submission import Submission, fallback, payload_hash, prepare_resolved
from registry.store import Registry
from registry.versions import Resolved
from tasks.callers.caller import Caller
from tasks.gateway import Gateway
from tasks.ledger.predictions.acceptance import Offer
from tasks.messages import Idempotency, Prediction
from tasks.settings import Settings
from tasks.wire import encode
from telemetry.errors import PredictqError, SubmissionUncertain, TooLarge, VersionPaused
from telemetry.tracing.tracer import Sending

log = logging.getLogger(__name__)
_encoded = msgspec.json.Encoder().encode
LINES_A_TURN = 16
"""Lines checked before other requests get a turn."""
MAX_TRACED_LINES = 8
"""Lines of a window whose predictions are traced, if their request is sampled."""
KEY_SEPARATOR = "\n"
"""Between a request's idempotency key and the number of a line: no header field can hold it."""


class Answered(NamedTuple):
    """The answer to a window of lines."""

    text: bytes
    """A line of NDJSON for each."""
    is_accepted: bool
    """Whether any of them was, or may have been, accepted."""
    is_uncertain: bool
    """Whether Redis stopped answering."""
    refused: LineProblem | None
    """The first problem."""


class BulkServices(NamedTuple):
    """The parts that all bulk requests share."""

    gateway: Gateway
    registry: Registry
    settings: Settings
    parsing: ByteBudget
    """Bytes of lines that may be parsed in threads at a time."""


class Acceptance:
    """Accepts the lines of one request."""

    def __init__(
        self,
        services: BulkServices,
        defaults: Defaults,
        caller: Caller,
        key: str | None,
        sticky: str | None,
    ) -> None:
        """``key``: the idempotency key. ``sticky``: the sticky key of lines that have none."""
        self._services, self._caller = services, caller
        self._key, self._sticky_key = key, sticky
        self._parser = LineParser(defaults, services.settings.max_rows)
        self._bulk = BulkGateway(services.gateway)
        self._resolved: dict[str, Resolved] = {}
        self._sending: Sending | None = None
        """The span that sends a window, which the first lines of it share."""
        self._traced_lines = 0

    async def accept(self, window: Sequence[NumberedLine], *, is_brief: bool) -> Answered:
        """Accept or refuse each line; raises `redis.RedisError` if certainly none was accepted.

        ``is_brief``: problems are told without details.
        """
        # Resolved once for each window, so an alias that moves meanwhile takes effect in the next
        # window.
        self._resolved.clear()
        sending, self._traced_lines = self._caller.sending, 0
        self._sending = sending and sending.another()
        offered = [await self._offered_in_turn(*each) for each in enumerate(window)]
        found = await self._submitted(offered)
        paused = [index for index, each in enumerate(found) if isinstance(each, VersionPaused)]
        if paused:
            await self._fall_back(window, offered, found, paused)
        return _answered(window, found, is_brief=is_brief)

    async def _offered_in_turn(self, index: int, line: NumberedLine) -> Offer | PredictqError:
        if index % LINES_A_TURN == 0:
            await asyncio.sleep(0)
        return await self._offered(line)

    async def _offered(self, line: NumberedLine) -> Offer | PredictqError:
        if line.text is None:
            return TooLarge(f"a line may have at most {MAX_LINE_BYTES} bytes")
        try:
            if len(line.text) > UNCOUNTED_BYTES:
                return await asyncio.to_thread(self._offer_large, line.number, line.text)
            submission = self._parser.parse(line.text)
            if self._is_at_hand(submission.model):
                return self._offer(line.number, submission)
            return await asyncio.to_thread(self._offer, line.number, submission)
        except PredictqError as error:
            return error

    def _is_at_hand(self, model: str) -> bool:
        """Whether the model can be resolved without reading the disk."""
        return model in self._resolved or self._services.registry.knows(model)

    def _offer_large(self, number: int, text: bytes) -> Offer:
        with self._services.parsing.holding(len(text)):
            return self._offer(number, self._parser.parse(text))

    def _offer(self, number: int, submission: Submission) -> Offer:
        check_seen(self._caller, submission.model)
        resolved = self._resolved.get(submission.model)
        if resolved is None:
            resolved = self._services.registry.resolve(submission.model)
            self._resolved[submission.model] = resolved
        settings, sticky = self._services.settings, partial(self._sticky, number)
        prediction = prepare_resolved(submission, resolved, settings, self._caller, sticky)
        return self._keyed(number, submission, prediction)

    def _sticky(self, number: int) -> str | None:
        return self._sticky_key or self._line_key(number)

    def _line_key(self, number: int) -> str | None:
        return None if self._key is None else f"{self._key}{KEY_SEPARATOR}{number}"

    def _keyed(self, number: int, submission: Submission, prediction: Prediction) -> Offer:
        if self._sending is not None:
            prediction = self._traced(prediction, self._sending)
        key = self._line_key(number)
        if key is None:
            return self._services.gateway.offer(prediction)
        known = Idempotency(key, payload_hash(encode(submission)))
        return self._services.gateway.offer(prediction, known)

    def _traced(self, prediction: Prediction, sending: Sending) -> Prediction:
        self._traced_lines += 1
        is_traced = self._traced_lines <= MAX_TRACED_LINES
        return replace(prediction, sending=sending if is_traced else None)

    async def _submitted(self, offered: Sequence[Offer | PredictqError]) -> list[Submitted]:
        found = iter(await self._bulk.submit([o for o in offered if isinstance(o, Offer)]))
        return [next(found) if isinstance(each, Offer) else each for each in offered]

    async def _fall_back(
        self,
        window: Sequence[NumberedLine],
        offered: Sequence[Offer | PredictqError],
        found: list[Submitted],
        paused: Sequence[int],
    ) -> None:
        """Submit what was refused for a pause to the fallback of its model, if there is one."""
        instead = [
            await asyncio.to_thread(self._instead, window[index], offered[index], found[index])
            for index in paused
        ]
        try:
            submitted = await self._submitted(instead)
        except redis.RedisError as error:
            # Other lines of the window are accepted already: the caller must get their ids, not an
            # error.
            log.warning("the fallback of paused versions cannot be asked: %s", error)
            return
        for index, each in zip(paused, submitted, strict=True):
            found[index] = each

    def _instead(
        self, line: NumberedLine, offer: Offer | PredictqError, refusal: Submitted
    ) -> Offer | PredictqError:
        """The offer for the fallback; without one, the refusal."""
        assert isinstance(refusal, VersionPaused)  # noqa: S101 - only those are given
        if line.text is None or isinstance(offer, PredictqError):
            return refusal
        submission, services = self._parser.parse(line.text), self._services
        version, sticky = offer.record.version, partial(self._sticky, line.number)
        prediction = fallback(
            submission, version, services.registry, services.settings, self._caller, sticky
        )
        return self._keyed(line.number, submission, prediction) if prediction else refusal


def _answered(
    window: Sequence[NumberedLine], found: Sequence[Submitted], *, is_brief: bool
) -> Answered:
    texts, problems, is_accepted, is_uncertain = [], [], False, False
    for line, each in zip(window, found, strict=True):
        if isinstance(each, AcceptedLine):
            is_accepted = True
            texts.append(_encoded(each) + b"\n")
        else:
            is_uncertain |= isinstance(each, SubmissionUncertain)
            problems.append(line_problem(each, line.number, is_brief=is_brief))
            texts.append(_encoded(problems[-1]) + b"\n")
    first = problems[0] if problems else None
    return Answered(b"".join(texts), is_accepted or is_uncertain, is_uncertain, first)
