"""The proof of one design: load, faults, then the accounts of every id."""

import time
from collections.abc import Iterable
from random import Random

import msgspec
import numpy as np

from benchmarks.harness.candidates import Candidate
from benchmarks.harness.models import Model
from benchmarks.prove.callers.callers import Callers
from benchmarks.prove.callers.listener import Listener
from benchmarks.prove.callers.mix import Mix
from benchmarks.prove.callers.observed import Submission
from benchmarks.prove.callers.receiver import Receiver
from benchmarks.prove.callers.tenants import Tenants, make_tenants
from benchmarks.prove.evidence import TERMINAL, Accounts, Answer, Asked, Evidence, account
from benchmarks.prove.faults.storm import Storm, Strike
from benchmarks.prove.faults.strikes import Target
from benchmarks.prove.records import held_messages, outcomes_counted, read_records
from benchmarks.prove.system import System
from benchmarks.prove.witness import computed, row

OUTCOMES_TIMEOUT = 60.0
"""Seconds after the last fault in which everything accepted must have its outcome."""
EVENTS_TIMEOUT = 90.0
"""Seconds after that in which their webhook events must arrive; those that a deliverer held when it
died are sent again after 60 s."""
CALM = 5.0
"""Seconds of load before the first fault, for comparison."""
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
    environment = {
        "PREDICTQ_VISIBILITY_TIMEOUT": str(storming.visibility_timeout),
        "PREDICTQ_WEBHOOKS_ALLOW_LOCAL": "1",
    }
    receiver = Receiver(candidate.home, Random(storming.seed))
    with System(candidate, environment) as system:
        listener, is_naive = Listener(system.redis), system.name == "naive"
        listener.start()
        receiver.start()
        tenants = Tenants() if is_naive else make_tenants(system.redis())
        mix = Mix(Random(storming.seed), tenants, receiver.url, is_plain=is_naive)
        callers = Callers(candidate.port, storming.rate, mix, tenants, listener)
        try:
            strikes, last = _weather(system, callers, storming)
            _await_events(callers, receiver)
            return _settled(system, callers, receiver, models, strikes, last)
        finally:
            callers.close()
            listener.stop()
            receiver.stop()


def _await_events(callers: Callers, receiver: Receiver) -> None:
    told = callers.observed.answers
    awaited = {i for i, asked in callers.observed.accepted.items() if asked.has_webhook}
    deadline = _now() + EVENTS_TIMEOUT
    callers.run(until=lambda: awaited & told.keys() <= receiver.events.keys() or _now() > deadline)


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
    receiver: Receiver,
    models: list[Model],
    strikes: list[Strike],
    last: float,
) -> Proof:
    observed = callers.observed
    with system.redis() as client:
        records, written, held = (
            read_records(client),
            outcomes_counted(client),
            held_messages(client),
        )
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
        events=receiver.events,
    )
    return Proof(
        name=system.name,
        accounts=account(evidence),
        uncertain=len(uncertain),
        turned_up=len(turned_up),
        unanswered=len(observed.unanswered - numbers),
        refused=len(refused),
        strange=[*observed.strange, *receiver.strange],
        strikes=strikes,
        submissions=observed.submissions,
        last_seconds=last,
    )


def _told(model: Model, asked: Iterable[Asked]) -> dict[int, list[list[float]]]:
    """The model's own predictions for all requests, in one call."""
    numbers = [*{each.row for each in asked}]
    if not numbers:
        return {}
    answers = model.estimator.answer(np.array([row(number) for number in numbers])).tolist()
    return {number: [answer] for number, answer in zip(numbers, answers, strict=True)}
