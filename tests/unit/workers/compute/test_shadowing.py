"""Which predictions are copied for a shadow, and how answers are compared."""

from pathlib import Path
from typing import Any

import pytest
import redis

from registry.manifest import Column, Signature
from registry.storage.model_settings import Shadow
from registry.store import Registry
from tasks.messages import CopyOf, Prediction
from tasks.record import Record
from tasks.shadows.shadows import Compared, Disagreement
from telemetry.errors import ModelError
from tests.support.models import described
from workers.compute.admission import AdmittedRequest
from workers.compute.shadowing import MAX_COPIES, MAX_ROWS_OF_COPY, Shadowing, agree

ALL = Shadow(version=2, rate=100, since=7)
OTHER = Signature((Column("x0"), Column("x1")), False, False, ("predict",))


class Kept:
    """Stands in for Redis."""

    def __init__(self) -> None:
        self.sent: list[Prediction] = []
        self.added: list[tuple[CopyOf, Compared, list[Disagreement]]] = []
        self.is_away = False

    def send(self, copies: list[Prediction]) -> None:
        if self.is_away:
            raise redis.ConnectionError
        self.sent += copies

    def add(self, copy: CopyOf, compared: Compared, examples: list[Disagreement]) -> None:
        self.added.append((copy, compared, examples))


class World:
    def __init__(self, home: Path) -> None:
        self.registry, self.kept = Registry(home), Kept()
        for content, signature in (b"1", None), (b"2", None), (b"3", OTHER):
            told = {} if signature is None else {"signature": signature}
            self.registry.add("m", described(content, **told), content)
        self.shadowing = Shadowing(self.registry, self.kept)

    def asked(self, **changes: Any) -> AdmittedRequest:
        given: dict[str, Any] = {"shadow": ALL, "rows": [[1.0]], "version": 1} | changes
        version = given.pop("version")
        record = Record(
            status="PENDING",
            state="queued",
            task_id="id",
            model="m",
            version=version,
            alias="production",
            method="predict",
            created_at=0.0,
            tenant=given.pop("tenant", "acme"),
        )
        manifest = self.registry.resolve(f"m:{version}").manifest
        nothing: Any = None
        return AdmittedRequest(nothing, 1, record, manifest, **given)

    def copies(self, *asked: AdmittedRequest, answer: Any = (["a"], None)) -> list[Prediction]:
        self.shadowing.note(asked, [answer] * len(asked))
        assert self.kept.sent == []  # not before the outcomes are written
        self.shadowing.act()
        sent, self.kept.sent = self.kept.sent, []
        return sent


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_shadow_gets_a_copy_without_anything_of_the_caller(world: World) -> None:
    (copy,) = world.copies(world.asked())
    assert (copy.model, copy.version, copy.alias, copy.features) == ("m", 2, None, [[1.0]])
    assert (copy.tenant, copy.webhook, copy.reuse, copy.arm) == ("acme", None, None, None)
    assert copy.copy_of == CopyOf("m@production", 7, 1, 0.01, ["a"])
    assert copy.queue_deadline


@pytest.mark.parametrize(
    "changes",
    [
        {"shadow": None},
        {"shadow": Shadow(version=2, rate=1e-9)},
        {"version": 2},
        {"shadow": Shadow(version=3, rate=100)},
        {"shadow": Shadow(version=9, rate=100)},
        {"rows": [[1.0]] * (MAX_ROWS_OF_COPY + 1)},
    ],
)
def test_no_copy_is_made_of(world: World, changes: dict[str, Any]) -> None:
    assert world.copies(world.asked(**changes)) == []


def test_no_copy_is_made_of_failures_and_for_versions_that_are_not_ready(world: World) -> None:
    assert world.copies(world.asked(), answer=ModelError("no")) == []
    manifest = world.registry.resolve("m:2").manifest
    world.registry.set_state(manifest, world.registry.readiness(manifest).with_status("refused"))
    assert world.copies(world.asked()) == []


def test_copies_of_one_microbatch_are_bounded(world: World) -> None:
    assert len(world.copies(*[world.asked()] * (MAX_COPIES + 5))) == MAX_COPIES


def test_copies_are_passed_over_without_redis(world: World) -> None:
    world.kept.is_away = True
    assert world.copies(world.asked()) == []
    world.kept.is_away = False
    assert len(world.copies(world.asked())) == 1


def test_answers_to_copies_are_compared(world: World) -> None:
    copy = CopyOf("m@production", 7, 1, 0.01, ["a", "b", "c"])
    asked = world.asked(version=2, shadow=None, copy_of=copy, rows=[[1.0], [2.0], [3.0]])
    assert world.copies(asked, answer=(["a", "x", "c"], None)) == []
    assert world.copies(asked, answer=ModelError("no")) == []
    (one, two) = world.kept.added
    assert one[1:] == (Compared(rows=3, disagreed=1), [Disagreement([2.0], "predict", "b", "x")])
    assert two[1] == Compared(rows=3, disagreed=3, failed=3)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a", "a", True),
        ("a", "b", False),
        (1, 1, True),
        (1, True, False),
        (0.500, 0.509, True),
        (0.50, 0.52, False),
        (1000.0, 1009.0, True),
        (1000.0, 1011.0, False),
        ([0.1, 0.9], [0.105, 0.895], True),
        ([0.1], [0.1, 0.2], False),
        (1.0, None, False),
        (None, None, True),
    ],
)
def test_answers_agree(one: Any, other: Any, expected: bool) -> None:
    assert agree(one, other, 0.01) is expected
