"""The computation of a pool process, with stand-ins for the engine and the ledger."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from registry.changes import Changes
from registry.manifest import Column, Manifest, Signature
from registry.store import Registry
from tasks.ledger.predictions.attempts import NotStarted, Start
from tasks.ledger.predictions.settled import Settled
from tasks.record import Record
from telemetry.errors import ModelError, ModelUnloadable, OutOfMemory
from tests.support.models import described
from workers.compute.microbatch import Computation
from workers.models.engine import Answer
from workers.protocol import Instruction, Item

SIGNATURE = Signature((Column("x0"), Column("x1")), False, False, ("predict", "predict_proba"))


MAX_OUTCOME_BYTES = 2000
"""Largest outcome."""


class Engine:
    """Doubles the first column, refuses 666, and cannot load the model `broken`."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, int]] = []

    def hold(self, manifest: Manifest) -> None:
        raise NotImplementedError

    def held(self) -> list[str]:
        raise NotImplementedError

    def runtime_of(self, manifest: Manifest) -> str:
        return "none"

    def answer(self, manifest: Manifest, method: str, given: Any) -> Answer:
        self.calls.append((f"{manifest.name}:{manifest.version}", method, len(given)))
        if manifest.name == "broken":
            raise ModelUnloadable("it is broken")
        if any(row[0] == 1e9 for row in given):
            raise OutOfMemory
        if any(row[0] == 666 for row in given):
            raise ModelError("666 is refused") from ValueError("it is too much")
        return Answer(2 * given[:, 0], 1.0)


class Ledger:
    """Gives each id its start in ``starts``, else attempt 1; records outcomes."""

    def __init__(self) -> None:
        self.starts: dict[str, Start] = {}
        self.outcomes: dict[str, Record] = {}
        self.dead_after: dict[str, int | None] = {}
        self.postponed: dict[str, bool] = {}
        """Id → whether it is a suspect."""

    def start(
        self, tagged_ids: Sequence[tuple[str, str]], deadlines: Sequence[float | None] = ()
    ) -> list[Start]:
        return [
            NotStarted.LATE if deadline and deadline < time.time() else self.starts.get(task_id, 1)
            for (_, task_id), deadline in zip(tagged_ids, deadlines, strict=True)
        ]

    def settle(self, version: str, outcomes: Sequence[Settled]) -> int:
        assert {settled.record.reference for settled in outcomes} == {version}
        assert all(s.tag == f"tag {s.record.task_id}" for s in outcomes)
        self.outcomes |= {settled.record.task_id: settled.record for settled in outcomes}
        self.dead_after |= {settled.record.task_id: settled.dead_after for settled in outcomes}
        return len(outcomes)

    def postpone(
        self, tagged_ids: Sequence[tuple[str, str]], *, suspect: bool, backoff: float
    ) -> list[str]:
        self.postponed |= {task_id: suspect for _, task_id in tagged_ids}
        return ["postponed" for _ in tagged_ids]


class Bench:
    """A computation with its registry, engine and ledger."""

    def __init__(self, home: Path) -> None:
        registry = Registry(home)
        for name, exact in ("m", False), ("m", False), ("broken", False), ("exact", True):
            artifact = f"{name} {len(registry.models())}".encode()
            description = described(artifact, signature=SIGNATURE, example=None, exact=exact)
            registry.add(name, description, artifact)
        Changes(registry).set_alias("m", "production", 1)
        Changes(registry).set_alias("m", "split", {1: 50, 2: 50})
        self.engine, self.ledger = Engine(), Ledger()
        self.limits: list[float] = []
        self.tracebacks: dict[str, str] = {}
        """Id → traceback that the worker got with the last microbatch."""
        self._computation = Computation(
            self.engine,
            registry,
            self.ledger,  # a stand-in
            MAX_OUTCOME_BYTES,
            self._limited,
        )

    @contextmanager
    def _limited(self, seconds: float) -> Iterator[None]:
        self.limits.append(seconds)
        outcomes = len(self.ledger.outcomes)
        yield
        assert len(self.ledger.outcomes) == outcomes, (
            "time spent in the ledger does not count against the limit"
        )

    def run(self, *items: Item) -> list[str]:
        """Run a microbatch; returns each disposition's kind, or its error code if it failed."""
        done = self._computation.run(items)
        kinds = [disposition.kind for disposition in done]
        assert [kind for kind in kinds if kind not in ("dropped", "suspect", "retrying")] == [
            self.ledger.outcomes[item.id].state for item in items if item.id in self.ledger.outcomes
        ]
        self.tracebacks = {item.id: f.traceback for item, f in zip(items, done, strict=True)}
        return [f.error.split(":")[0] if f.kind == "failed" else f.kind for f in done]

    def answers(self) -> dict[str, Any]:
        return {task_id: record.result for task_id, record in self.ledger.outcomes.items()}


def item(
    name: str,
    *values: float,
    model: str = "m:1",
    method: str = "predict",
    expires: float | None = None,
    accepted: bool = False,
    **fields: Any,
) -> Item:
    """Make a message; with ``accepted`` it has the `created_at` that our front end sets."""
    rows = [[value, 0.0] for value in values or (1.0,)]
    kwargs: dict[str, Any] = {"model": model, "features": rows, "method": method}
    kwargs |= {"created_at": time.time()} if accepted else {}
    given = {"body": json.dumps([[], kwargs, {}]).encode(), "limit": 300.0}
    given |= {
        "instruction": Instruction.COMPUTE,
        "content_type": "application/json",
        "expires": expires,
        **fields,
    }
    return Item(tag=f"tag {name}", id=name, **given)
