"""Hazard 18: any mixture of messages on the queue gets each model's own answers."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tasks.ledger.ledger import Ledger, connect
from tasks.record import Record
from tasks.settings import Settings
from tests.integration.many_models import Version, registered
from tests.support.models import GUILTY, Touchy, register
from tests.support.stack import LiveStack, running, until
from tests.support.stock_producer import Stock

pytestmark = pytest.mark.slow

PAST = datetime(2001, 1, 1, tzinfo=UTC)


class World(NamedTuple):
    stack: LiveStack
    stock: Stock
    ledger: Ledger
    diary: Path
    versions: list[Version]


class Asked(NamedTuple):
    """One prediction of the mixture, and its right outcome."""

    submit: Callable[[World], str]
    is_right: Callable[[World, Record], bool]
    cancel: bool = False


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("mixture")
    versions, diary = registered(home), home / "diary"
    diary.touch()
    register(home, "touchy", Touchy(str(diary)), [[1.0, 2.0]])
    with running(home, forks=True) as stack:
        ledger = Ledger(connect(stack.redis_url), Settings(home=home, redis_url=stack.redis_url))
        yield World(stack, Stock(stack.redis_url), ledger, diary, versions)


# What is submitted ----------------------------------------------------------------------------

NUMBER_OF_VERSIONS = 10
serials = itertools.count(1000)
"""No value is asked of `touchy` twice: its diary tells which requests were computed."""
stocks = st.booleans()


def submitting(stock: bool, reference: str, rows: Any, method: str) -> Callable[[World], str]:
    def submit(world: World) -> str:
        if stock:
            return world.stock.submit(reference, rows, method)
        return str(world.stack.submit(reference, rows, method)["id"])

    return submit


@st.composite
def good(draw: st.DrawFn) -> Callable[[World], Asked]:
    number = draw(st.integers(0, NUMBER_OF_VERSIONS - 1))
    seed, stock = draw(st.integers(0, 2**32)), draw(stocks)
    count, choice = draw(st.sampled_from([1, 1, 1, 2, 7, 40, 300])), draw(st.integers(0, 2))

    def make(world: World) -> Asked:
        version = world.versions[number]
        rows = version.rows(np.random.default_rng(seed), count)
        method = version.methods[choice % len(version.methods)]
        expected = version.alone(method, rows)
        return Asked(
            submitting(stock, version.reference, rows, method),
            lambda _, record: equal(record, expected, version.to_the_last_bit),
        )

    return make


@st.composite
def touching(draw: st.DrawFn) -> Callable[[World], Asked]:
    """A prediction of `touchy`; if the last row is guilty, the model raises and names it."""
    stock, guilty, count = draw(stocks), draw(st.booleans()), draw(st.integers(1, 5))

    def make(world: World) -> Asked:
        rows = [[float(next(serials)), 0.0] for _ in range(count)]
        expected = [2 * value for value, _ in rows]
        if guilty:
            rows[-1] = [GUILTY, float(next(serials))]
        return Asked(
            submitting(stock, "touchy", rows, "predict"),
            lambda _, record: (
                failed(record, "model_error", str(rows[-1]))
                if guilty
                else equal(record, expected, to_the_last_bit=True)
            ),
        )

    return make


BAD = [
    ("linear:1", [[1.0, 2.0]], "predict", "invalid_features"),
    ("linear:1", [[1.0, 2.0, 3.0, "x"]], "predict", "invalid_features"),
    ("linear:1", [], "predict", "invalid_features"),
    ("linear:1", {"a": 1}, "predict", "invalid_features"),
    ("linear:1", 7, "predict", "invalid_features"),
    ("linear:1", [[1, 2, 3, 4]], "fit", "unsupported_method"),
    ("forest", [[1, 2, 3, 4]], "decision_function", "unsupported_method"),
    ("linear:9", [[1, 2, 3, 4]], "predict", "version_not_found"),
    ("linear@nobody", [[1, 2, 3, 4]], "predict", "alias_not_found"),
    ("nothing", [[1, 2, 3, 4]], "predict", "model_not_found"),
    ("../linear", [[1, 2, 3, 4]], "predict", "invalid"),
]


@st.composite
def bad(draw: st.DrawFn) -> Callable[[World], Asked]:
    """Invalid features, which stock producers can send without the API's check."""
    reference, rows, method, code = draw(st.sampled_from(BAD))
    asked = Asked(
        submitting(True, reference, rows, method), lambda _, record: failed(record, code, "")
    )
    return lambda _: asked


@st.composite
def unwanted(draw: st.DrawFn) -> Callable[[World], Asked]:
    """A prediction that is cancelled, or had expired when it was submitted."""
    expired = draw(st.booleans())

    def make(_: World) -> Asked:
        value = float(next(serials))
        if expired:
            return Asked(
                lambda world: world.stock.submit("touchy", [[value, 0.0]], expires=PAST),
                lambda world, record: record.state == "expired" and not computed(world, value),
            )
        return Asked(
            submitting(False, "touchy", [[value, 0.0]], "predict"),
            lambda _, record: record.state == "cancelled" or record.result == [2 * value],
            cancel=True,
        )

    return make


# What is right --------------------------------------------------------------------------------


def equal(record: Record, expected: list[Any], to_the_last_bit: bool) -> bool:
    if record.state != "succeeded" or record.receipt is None:
        return False
    if to_the_last_bit or isinstance(expected[0], str):
        return bool(record.result == expected)
    given = np.asarray(record.result)
    if given.dtype.kind != "f":
        return bool(given.tolist() == expected)
    return np.allclose(given, expected, rtol=1e-12, atol=1e-13)


def failed(record: Record, code: str, message: str) -> bool:
    error = record.error
    return error is not None and error.code == code and message in error.message


def computed(world: World, value: float) -> bool:
    return str(value) in world.diary.read_text().split()


def settled(world: World, ids: list[str]) -> list[Record]:
    def look() -> list[Record] | None:
        records = [world.ledger.record(task_id) for task_id in ids]
        done = [record for record in records if record and record.is_terminal]
        return done if len(done) == len(ids) else None

    found: list[Record] = until(look, "all outcomes")
    return found


asking = st.one_of(good(), good(), touching(), touching(), bad(), unwanted())
mixtures = st.integers(1, 50).flatmap(lambda size: st.lists(asking, min_size=size, max_size=size))


@pytest.mark.timeout(300)
@settings(
    max_examples=50,
    deadline=None,
    print_blob=True,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # each example takes more than a second
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
)
@given(mixtures, st.booleans())
def test_mixture_of_models_is_answered_as_each_model_alone(
    world: World, mixture: list[Callable[[World], Asked]], gather: bool
) -> None:
    mixture = [make(world) for make in mixture]
    with world.stack.frozen_pool() if gather else nullcontext():
        ids = [asked.submit(world) for asked in mixture]
        cancelled = [task_id for task_id, asked in zip(ids, mixture, strict=True) if asked.cancel]
        for task_id in cancelled:
            world.stack.http.delete(f"/predict/result/{task_id}")
    records = settled(world, ids)
    wrong = [
        msgspec.to_builtins(record)
        for record, asked in zip(records, mixture, strict=True)
        if not asked.is_right(world, record)
    ]
    assert wrong == []
    if gather:  # all are cancelled before any is computed
        states = {r.state for r in records if r.task_id in cancelled}
        assert states <= {"cancelled"}
