"""Calls a new version with few and many rows before it serves, and measures the calls."""

from typing import Any, NamedTuple

from registry.manifest import Signature
from registry.readiness import GoldenRows, Readiness, ReadinessStatus, now
from telemetry.errors import PredictqError
from workers.models.engine import Answer, answer_table, call_method
from workers.models.golden import golden_rows
from workers.models.process_state.containing import contained
from workers.models.registration import Examined
from workers.models.signature.inspection import quietly
from workers.models.tabular.equality import unequal
from workers.models.tabular.table import Table

CALL_ROWS = (1, 64, 1000)
"""Rows of the measured calls."""
SLOW_CALL_MS = 1000.0
"""Run time of a call after which no call of more rows is made."""


class FirstCalls(NamedTuple):
    """Measurements of the first calls of a model."""

    times: dict[str, float]
    """Rows in a call → milliseconds."""
    varies: bool
    """Whether two calls with the same rows gave different answers."""


def warmed(found: Examined, *, waits_for_stack: bool) -> tuple[Readiness, GoldenRows | None]:
    """The first state of a new version, and its golden rows if it was inspected with a sample.

    ``waits_for_stack``: whether a stack must prove the version before it is ready.
    """
    signature, own = found.description.signature, found.inspected.own_answers
    example = found.inspected.example
    if example is None:
        return Readiness(changed_at=now()), None
    with quietly():
        calls = first_calls(found.model, signature, [example])
    golden = golden_rows(signature, own, calls.times) if own and not calls.varies else None
    status: ReadinessStatus = "checking" if waits_for_stack else "ready"
    return Readiness(status, "", now(), calls.times, calls.varies), golden


def first_calls(model: Any, signature: Signature, rows: list[list[Any]]) -> FirstCalls:
    """Calls the main method by `CALL_ROWS` rows.

    ``rows`` are wire rows that the model takes; they are repeated as often as needed. A call that
    fails ends the measurement, since the model may bound the rows of a call.
    """
    times: dict[str, float] = {}
    varies = False
    for count in CALL_ROWS:
        try:
            # Called twice: the first call may compile or import something.
            first, second = (_call(model, signature, rows, count) for _ in range(2))
        except (PredictqError, MemoryError):
            break
        times[str(count)] = min(first.milliseconds, second.milliseconds)
        varies |= bool(unequal(first.output, second.output).any())
        if times[str(count)] > SLOW_CALL_MS:
            break
    return FirstCalls(times, varies)


def _call(model: Any, signature: Signature, rows: list[list[Any]], count: int) -> Answer:
    repeated = [rows[index % len(rows)] for index in range(count)]
    table = Table.of(signature, repeated)
    with contained():
        return answer_table(table, lambda given: call_method(model, signature.main, given))
