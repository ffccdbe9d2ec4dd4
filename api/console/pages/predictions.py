"""One prediction as its page shows it: its steps with times, and how to look it up."""

import shlex
from datetime import datetime
from typing import Literal

import msgspec

from tasks.record import Record

StepState = Literal["done", "now", "next"]
MAX_ANSWER_CHARS = 4000
"""Characters of the answer that the page shows."""
WAITS = {
    "no_worker": "no worker is running",
    "model_loading": "its model is being loaded",
    "capacity": "others are in front",
    "paused": "its version is paused",
}
"""The reasons for which a queued prediction waits, in words."""


class Step(msgspec.Struct, frozen=True):
    """One part of the life of a prediction."""

    name: str
    state: StepState
    milliseconds: float | None
    """How long it took; None if it did not end, or was not measured."""


def life(record: Record) -> list[Step]:
    """The steps from acceptance to outcome."""
    if record.receipt is not None:
        return _measured(record)
    if record.is_terminal:
        total = _milliseconds(record)
        return [Step("accepted", "done", None), Step(record.state, "done", total)]
    waiting: StepState = "now" if record.state == "queued" else "done"
    computing: StepState = "next" if record.state == "queued" else "now"
    second = "retrying" if record.state == "retrying" else "computing"
    return [
        Step("accepted", "done", None),
        Step("waiting", waiting, None),
        Step(second, computing, None),
        Step("outcome", "next", None),
    ]


def _measured(record: Record) -> list[Step]:
    receipt, total = record.receipt, _milliseconds(record)
    assert receipt is not None  # noqa: S101 - as `life` says
    # The model's call is part of the time from start to outcome; the rest is checks and settling.
    rest = None if total is None else max(total - receipt.queue_ms - receipt.compute_ms, 0.0)
    return [
        Step("accepted", "done", None),
        Step("waiting", "done", receipt.queue_ms),
        Step("computing", "done", receipt.compute_ms),
        Step("settling", "done", rest),
        Step(record.state, "done", None),
    ]


def _milliseconds(record: Record) -> float | None:
    """Milliseconds from acceptance to outcome, by two hosts' clocks; None without an outcome."""
    if record.date_done is None:
        return None
    return max(datetime.fromisoformat(record.date_done).timestamp() - record.created_at, 0) * 1000


def shown_answer(record: Record) -> str:
    """The answer as JSON, cut to what a page can show; empty if there is none."""
    if record.state != "succeeded":
        return ""
    text = msgspec.json.encode(record.result, enc_hook=str).decode()
    return text if len(text) <= MAX_ANSWER_CHARS else f"{text[:MAX_ANSWER_CHARS]} …"


def as_curl(base: str, task_id: str) -> str:
    """The command that looks a prediction up; ``base`` is the server's address."""
    return f"curl -s {shlex.quote(f'{base}predict/result/{task_id}')}"


def as_python(base: str, task_id: str) -> str:
    """Python code that looks a prediction up with the client."""
    return (
        "from predictq import Client\n\n"
        f"with Client({base.rstrip('/')!r}) as client:\n"
        f"    print(client.result({task_id!r}))"
    )
