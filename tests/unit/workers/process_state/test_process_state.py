"""What a model changes in its process reaches no other model."""

import decimal
import gc
import locale
import logging
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
import skops.io
from sklearn.linear_model import LinearRegression

from registry.store import Registry
from tests.support.models import Doubling, register
from workers.models.engine import SklearnEngine
from workers.models.process_state.parts import CHANGEABLE, StatePart
from workers.models.process_state.process_state import ProcessState
from workers.models.registration import describe_model

Change = tuple[Callable[[], Any], Callable[[], Any]]
"""What changes a part of the process's state, and what reads it."""

CHANGES: dict[str, Change] = {
    "environment variables": (
        lambda: os.environ.update(COUNTRY="no", TZ="Asia/Tokyo"),
        lambda: (os.environ.get("COUNTRY"), os.environ.get("TZ"), time.localtime(0).tm_hour),
    ),
    "the working directory": (lambda: os.chdir("/"), os.getcwd),
    "the locale": (
        lambda: locale.setlocale(locale.LC_ALL, "C"),
        lambda: locale.setlocale(locale.LC_ALL),
    ),
    "options of scikit-learn": (
        lambda: sklearn.set_config(transform_output="pandas"),
        lambda: sklearn.get_config()["transform_output"],
    ),
    "options of pandas": (
        lambda: pd.set_option("mode.string_storage", "python"),
        lambda: pd.get_option("mode.string_storage"),
    ),
    "the recursion limit": (lambda: sys.setrecursionlimit(5000), sys.getrecursionlimit),
    "the timeout of sockets": (lambda: socket.setdefaulttimeout(3), socket.getdefaulttimeout),
}
UNSAID: dict[str, Change] = {
    "decimal": (
        lambda: setattr(decimal.getcontext(), "prec", 3),
        lambda: decimal.getcontext().prec,
    ),
    "floating-point errors": (lambda: np.seterr(all="raise"), lambda: np.geterr()["divide"]),
}
RESTORED: dict[str, Change] = {
    "signal handlers": (
        lambda: signal.signal(signal.SIGALRM, signal.SIG_IGN),
        lambda: signal.getsignal(signal.SIGALRM),
    ),
    "garbage collection": (gc.disable, gc.isenabled),
}


@pytest.fixture
def states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[ProcessState]]:
    monkeypatch.chdir(tmp_path)
    before = random.getstate(), np.random.get_state()
    yield [ProcessState("m:1"), ProcessState("other:1")]
    random.setstate(before[0])
    np.random.set_state(before[1])


@pytest.mark.parametrize("name", CHANGES | UNSAID)
def test_change_of_the_process_state_is_seen_by_the_version_alone(
    states: list[ProcessState], caplog: pytest.LogCaptureFixture, name: str
) -> None:
    (mine, other), (change, read) = states, (CHANGES | UNSAID)[name]
    before = read()
    mine.run(change)
    assert read() == other.run(read) == before
    assert mine.run(read) != before
    assert mine.run(read) != before, "and at every later call"
    assert read() == other.run(read) == before
    told = [record.getMessage() for record in caplog.records]
    expected = f"a model changed {name}; other models do not see it"
    assert told == ([expected] if name in CHANGES else [])


@pytest.mark.parametrize("name", RESTORED)
def test_change_that_would_harm_the_worker_is_undone(
    states: list[ProcessState], caplog: pytest.LogCaptureFixture, name: str
) -> None:
    change, read = RESTORED[name]
    before = read()
    states[0].run(change)
    assert read() == states[0].run(read) == before
    assert f"a model changed {name}" in caplog.text


def test_change_before_an_error_is_undone(states: list[ProcessState]) -> None:
    def fails() -> None:
        os.environ["COUNTRY"] = "no"
        raise LookupError

    with pytest.raises(LookupError):
        states[0].run(fails)
    assert "COUNTRY" not in os.environ


def test_change_of_a_directory_that_is_gone_harms_nothing(
    states: list[ProcessState], tmp_path: Path
) -> None:
    (tmp_path / "gone").mkdir()
    states[0].run(lambda: os.chdir("gone"))
    (tmp_path / "gone").rmdir()
    assert states[0].run(os.getcwd) == str(tmp_path)


def test_part_that_cannot_be_written_back_keeps_no_other_from_it(
    states: list[ProcessState], monkeypatch: pytest.MonkeyPatch
) -> None:
    fails = StatePart("the recursion limit", sys.getrecursionlimit, {}.__getitem__)
    limits = [fails if part.name == fails.name else part for part in CHANGEABLE]
    monkeypatch.setattr("workers.models.process_state.process_state.CHANGEABLE", limits)
    before, mine = sys.getrecursionlimit(), states[0]
    mine.run(lambda: (sys.setrecursionlimit(5000), socket.setdefaulttimeout(3)))
    sys.setrecursionlimit(before)
    assert socket.getdefaulttimeout() is None
    assert mine.run(socket.getdefaulttimeout) == 3
    assert socket.getdefaulttimeout() is None


def test_next_model_is_called_where_one_exchanged_the_environment(
    states: list[ProcessState],
) -> None:
    theirs, ours = {"COUNTRY": "no"}, os.environ
    try:
        states[0].run(lambda: setattr(os, "environ", theirs))
        assert states[1].run(lambda: 1) == 1, "the next model is called"
    finally:
        os.environ = ours  # noqa: B003 - it is put back as it was


def draw() -> tuple[float, float]:
    return np.random.rand(), random.random()


def test_seeds_of_a_model_do_not_reach_others(states: list[ProcessState]) -> None:
    mine, other = states
    alone = ProcessState("alone:1")
    expected = [alone.run(draw) for _ in range(2)]
    assert other.run(draw) == expected[0]
    mine.run(lambda: (np.random.seed(7), random.seed(7)))
    seeded = mine.run(draw)
    assert ProcessState("late:1").run(draw) == expected[0], "one that is loaded now"
    assert other.run(draw) == expected[1]
    mine.run(lambda: (np.random.seed(7), random.seed(7)))
    assert other.run(lambda: None) is None
    assert mine.run(draw) == seeded


def test_child_that_a_model_forks_does_not_return(states: list[ProcessState]) -> None:
    ours = os.getpid()
    reading, writing = os.pipe()
    children: list[int] = []

    def forks() -> None:
        children.append(os.fork())

    states[0].run(forks)
    os.write(writing, b"." if os.getpid() == ours else b"a child came back")
    assert os.read(reading, 100) == b"."
    assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 0


class Careless(Doubling):
    """Changes the process when it is loaded and when it is called, once it is in service."""

    is_in_service = False

    def __setstate__(self, state: dict[str, Any]) -> None:
        if not self.is_in_service:
            return
        os.environ["LOADED"] = "yes"
        np.seterr(all="raise")

    def predict(self, x: Any) -> Any:
        if self.is_in_service:
            sklearn.set_config(transform_output="pandas")
            assert os.environ["LOADED"] == "yes"
        return super().predict(x)

    def __reduce__(self) -> Any:
        return type(self), (), {"some": "state"}


class Observant(Doubling):
    """Answers 1 if the process is as it was."""

    def predict(self, x: Any) -> Any:
        is_unchanged = "LOADED" not in os.environ and np.geterr()["divide"] == "warn"
        is_unchanged &= sklearn.get_config()["transform_output"] == "default"
        return np.full(len(x), int(is_unchanged))


def test_engine_keeps_the_state_of_versions_apart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.WARNING)
    engine = SklearnEngine(Registry(tmp_path))
    careless, observant = (
        register(tmp_path, name, model, [[1.0, 1.0]])
        for name, model in {"careless": Careless(), "observant": Observant()}.items()
    )
    monkeypatch.setattr(Careless, "is_in_service", True)
    for _ in range(2):
        assert engine.answer(careless, "predict", np.ones((1, 2))).output.tolist() == [2]
        assert engine.answer(observant, "predict", np.ones((1, 2))).output.tolist() == [1]
    assert caplog.text.count("a model changed") == 2, "once when loaded, once when called"


def test_engine_looks_at_no_state_for_versions_without_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("it costs more than a row")

    monkeypatch.setattr(ProcessState, "run", refuse)
    file, registry = tmp_path / "line.skops", Registry(tmp_path)
    skops.io.dump(LinearRegression().fit([[0], [1]], [0, 2]), file)
    version = registry.add("line", *describe_model(file, trust=False, examples=[[1.0]]))
    assert not version.runs_code
    answer = SklearnEngine(registry).answer(version, "predict", np.ones((1, 1)))
    assert answer.output.tolist() == [pytest.approx(2)]
