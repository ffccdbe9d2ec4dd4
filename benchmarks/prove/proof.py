"""The proof of one design: load, faults, then the accounts of every id."""

import time
from collections.abc import Iterable
from random import Random
from typing import Any

import msgspec
import numpy as np
import redis

from benchmarks.harness.candidates import Candidate
from benchmarks.harness.models import Model
from benchmarks.prove.callers.callers import Callers
from benchmarks.prove.callers.listener import PREFIX, Listener
from benchmarks.prove.callers.observed import Submission
from benchmarks.prove.evidence import TERMINAL, Accounts, Answer, Asked, Evidence, account
from benchmarks.prove.faults.storm import Storm, Strike
from benchmarks.prove.faults.strikes import POISONED, Target
from benchmarks.prove.system import System
from benchmarks.prove.witness import computed, row
from tasks.ledger import keys
from tasks.ledger.statistics import collected

OUTCOMES_TIMEOUT = 60.0
"""Seconds after the last fault in which everything accepted must have its outcome."""
CALM = 5.0
"""Seconds of load before the first fault, for comparison."""
_STATES = {"SUCCESS": "succeeded", "FAILURE": "failed", "REVOKED": "cancelled"}
_now = time.monotonic


class Storming(msgspec.Struct, frozen=True):
    """Parameters of the load and the faults."""

    seconds: float
    rate: float
    seed: int
    visibility_timeout: float
    names: list[str]


class Proof(msgspec.Struct, frozen=True):
    """The results of one design."""

    name: str
    accounts: Accounts
    uncertain: int
    """Submissions that may or may not have been accepted: a 503 with an id."""
    turned_up: int
    """How many of the uncertain were accepted after all."""
    unanswered: int
    """Submissions without any answer or id."""
    refused: int
    """Submissions refused for certain."""
    strange: list[str]
    strikes: list[Strike]
    submissions: list[Submission]
    last_seconds: float
    """Seconds from the last submission to the last outcome, or to the timeout."""

    @property
    def faults(self) -> dict[str, int]:
        """Counts that must be zero."""
        return {**self.accounts.faults, "strange answers": len(self.strange)}


def prove(candidate: Candidate, models: list[Model], storming: Storming) -> Proof:
    """Start a design, load it, inject faults, and draw the accounts.

    Raises `LoadFailed` if it does not work at the start.
    """
    environment = {"PREDICTQ_VISIBILITY_TIMEOUT": str(storming.visibility_timeout)}
    with System(candidate, environment) as system:
        listener = Listener(system.redis)
        listener.start()
        callers = Callers(
            candidate.port,
            storming.rate,
            Random(storming.seed),
            listener,
            has_bulk=system.name != "naive",
        )
        try:
            strikes, last = _weather(system, callers, storming)
            return _settled(system, callers, models, strikes, last)
        finally:
            callers.close()
            listener.stop()


def _weather(system: System, callers: Callers, storming: Storming) -> tuple[list[Strike], float]:
    queue = "celery" if system.name == "naive" else "predict"
    chance, timeout = Random(storming.seed), storming.visibility_timeout
    storm = Storm(Target(system, callers, chance, timeout, queue), storming.names, storming.seed)
    callers.start()
    end = _now() + CALM + storming.seconds
    callers.run(until=lambda: _now() > end - storming.seconds)
    storm.start()
    callers.run(until=lambda: _now() > end or storm.failure is not None)
    storm.end()
    callers.run(until=storm.is_over)  # so that the last fault is under load too
    callers.is_submitting, last = False, _now()
    deadline = last + OUTCOMES_TIMEOUT
    callers.run(until=lambda: not (callers.open or callers.busy) or _now() > deadline)
    return storm.strikes, _now() - last


def _settled(
    system: System,
    callers: Callers,
    models: list[Model],
    strikes: list[Strike],
    last: float,
) -> Proof:
    observed = callers.observed
    with system.redis() as client:
        records, written, held = _records(client), _written(client), _held(client)
    uncertain = {i: a for i, a in observed.uncertain.items() if i not in observed.accepted}
    turned_up = {i: asked for i, asked in uncertain.items() if i in records}
    numbers = {asked.number for asked in observed.accepted.values()}
    doubtful = {asked.number for asked in uncertain.values()} | observed.unanswered
    refused = frozenset(observed.refused - numbers - doubtful)
    every = observed.accepted | turned_up
    for task_id in every:  # finally read the record itself
        observed.answers.setdefault(task_id, []).append(records.get(task_id, Answer("lost")))
    kept = sum(answer.state in TERMINAL for answer in records.values())
    evidence = Evidence(
        accepted=observed.accepted,
        answers=observed.answers,
        told=_told(models[0], every.values()),
        turned_up=turned_up,
        refused=refused,
        computed=sum((computed(model) for model in models[1:]), computed(models[0])),
        outcomes_written=written,
        outcomes_kept=kept if written is not None else None,
        held_back=frozenset(i for i in observed.accepted if i.encode() in held),
    )
    return Proof(
        name=system.name,
        accounts=account(evidence),
        uncertain=len(uncertain),
        turned_up=len(turned_up),
        unanswered=len(observed.unanswered - numbers),
        refused=len(refused),
        strange=observed.strange,
        strikes=strikes,
        submissions=observed.submissions,
        last_seconds=last,
    )


class _Record(msgspec.Struct):
    status: str
    result: Any = None
    state: str = ""
    error: dict[str, Any] | None = None


def _records(client: redis.Redis) -> dict[str, Answer]:
    """Id → its record in Redis, for either design; predictions only."""
    found: dict[str, Answer] = {}
    foreign = tuple(f"{PREFIX}{start}".encode() for start in ("canary-", POISONED))
    every = client.scan_iter(PREFIX + "*", count=1000)
    names = [name for name in every if not name.startswith(foreign)]
    for start in range(0, len(names), 1000):
        some = names[start : start + 1000]
        for name, text in zip(some, client.mget(some), strict=True):
            found[name.decode().removeprefix(PREFIX)] = _answer(text)
    return found


def _answer(text: Any) -> Answer:
    record = msgspec.json.decode(text, type=_Record)
    state = record.state or _STATES.get(record.status, "open")
    predictions = record.result if state == "succeeded" else None
    return Answer(state, predictions, str((record.error or {}).get("code", "")))


def _written(client: redis.Redis) -> int | None:
    """Outcomes that predictq counted, without canaries; None for the naive design."""
    counted = collected(client)
    if not counted:
        return None
    reused = sum(each.reuse.hits + each.reuse.joined for each in counted)
    return reused + sum(count for each in counted for count in each.outcomes.values())


def _held(client: redis.Redis) -> bytes:
    """All messages in Redis: waiting, or reserved and not acknowledged."""
    noted: list[Any] = [client.hvals(key) for key in (keys.RESERVED, "unacked")]
    noted += [client.lrange(queue, 0, -1) for queue in ("predict", "celery")]
    noted += [client.hvals(key) for key in client.scan_iter(keys.JOINED + "*")]
    return b"".join(message for messages in noted for message in messages)


def _told(model: Model, asked: Iterable[Asked]) -> dict[int, list[list[float]]]:
    """The model's own predictions for all requests, in one call."""
    numbers = [*{each.row for each in asked}]
    if not numbers:
        return {}
    answers = model.estimator.answer(np.array([row(number) for number in numbers])).tolist()
    return {number: [answer] for number, answer in zip(numbers, answers, strict=True)}
