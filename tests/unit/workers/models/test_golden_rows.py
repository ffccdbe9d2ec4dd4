"""Golden rows: kept at registration, and compared before a version answers."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest

from registry.manifest import Manifest
from registry.store import Registry
from tasks.settings import Settings
from telemetry.errors import ArtifactMissing, ModelUnloadable
from workers.gate.warming import CALL_ROWS, first_calls, warmed
from workers.models.engine import SklearnEngine
from workers.models.golden import MAX_GOLDEN_ROWS
from workers.models.golden_engine import GoldenCheckedEngine
from workers.models.registration import examine
from workers.pool.fork_server import ForkServer
from workers.pool.golden_check import check_in_child

FRAME = pd.DataFrame({"size": [1.5, None, 3.0] * 40, "colour": ["red", "blue", None] * 40})


class Scaled:
    """Multiplies a column by the factor that an environment variable says, as a library might."""

    n_features_in_ = 2
    feature_names_in_ = np.array(["size", "colour"], dtype=object)

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        if os.environ.get("FACTOR") == "deadly":
            os._exit(3)
        return rows["size"].fillna(0).to_numpy() * float(os.environ.get("FACTOR", "2"))


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path)


@pytest.fixture
def version(registry: Registry, tmp_path: Path) -> Manifest:
    joblib.dump(Scaled(), tmp_path / "scaled.joblib")
    found = examine(tmp_path / "scaled.joblib", trust=True, sample=FRAME)
    state, golden = warmed(found, waits_for_stack=False)
    assert (state.status, list(state.call_ms)) == ("ready", [str(rows) for rows in CALL_ROWS])
    return registry.add("m", found.description, found.content, state=state, golden=golden)


@pytest.fixture
def engine(registry: Registry) -> GoldenCheckedEngine:
    return GoldenCheckedEngine(SklearnEngine(registry), registry)


@pytest.fixture
def server(registry: Registry, tmp_path: Path) -> Iterator[ForkServer]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        yield ForkServer(theirs, frozenset(), Settings(home=tmp_path, redis_url=""))


def test_golden_rows_are_the_first_of_the_sample(registry: Registry, version: Manifest) -> None:
    golden = registry.golden_rows(version)
    assert golden is not None
    assert len(golden.rows) == MAX_GOLDEN_ROWS
    assert golden.rows[:3] == [[1.5, "red"], [None, "blue"], [3.0, None]]
    assert golden.answers["predict"][:3] == [3.0, 0.0, 6.0]


def test_golden_rows_let_an_unchanged_version_answer(engine, version) -> None:
    assert engine.answer(version, "predict", FRAME[:2]).output.tolist() == [3.0, 0.0]


def test_golden_rows_keep_a_changed_version_from_answering(engine, version, monkeypatch) -> None:
    monkeypatch.setenv("FACTOR", "2.001")
    told = "predict of golden row 1 gives 3.0015.* here and gave 3.0 when m:1 was registered"
    with pytest.raises(ModelUnloadable, match=told):
        engine.answer(version, "predict", FRAME[:2])


def test_golden_rows_leave_an_artifact_s_own_error(registry, engine, version) -> None:
    registry.artifact(version).unlink()
    with pytest.raises(ArtifactMissing):
        engine.answer(version, "predict", FRAME[:2])


def test_golden_rows_that_the_model_refuses_say_why(engine, version, monkeypatch) -> None:
    monkeypatch.setenv("FACTOR", "no number")
    with pytest.raises(ModelUnloadable, match="predict of a golden row fails: .*could not convert"):
        engine.answer(version, "predict", FRAME[:2])


def test_golden_rows_are_compared_once(engine, version, monkeypatch) -> None:
    engine.answer(version, "predict", FRAME[:2])
    monkeypatch.setenv("FACTOR", "3")
    assert engine.answer(version, "predict", FRAME[:1]).output.tolist() == [4.5]


def test_golden_rows_in_a_child_tell_a_changed_version(engine, version, monkeypatch) -> None:
    engine.hold(version)
    assert check_in_child(engine, version) is None
    monkeypatch.setenv("FACTOR", "5")
    fault = check_in_child(engine, version)
    assert fault is not None
    assert fault.startswith("predict of golden row 1 gives 7.5 here and gave 3.0")


def test_golden_rows_in_a_child_survive_its_end(engine, version, monkeypatch) -> None:
    engine.hold(version)
    monkeypatch.setenv("FACTOR", "deadly")
    assert check_in_child(engine, version) == "computing golden rows of m:1 ended with status 3"


def test_golden_rows_in_a_child_leave_its_end_to_no_handler(engine, version) -> None:
    collected: list[int] = []

    def collect(*_: object) -> None:
        with suppress(ChildProcessError):
            collected.append(os.waitpid(-1, os.WNOHANG)[0])

    over = threading.Event()
    idle = threading.Thread(target=over.wait)  # as of a library: it would receive the signal
    before = signal.signal(signal.SIGCHLD, collect)
    try:
        idle.start()
        engine.hold(version)
        assert check_in_child(engine, version) is None
    finally:
        over.set()
        idle.join()
        assert signal.signal(signal.SIGCHLD, before) is collect
    assert set(collected) <= {0}


def test_golden_rows_decide_what_the_fork_server_holds(server, version, monkeypatch) -> None:
    monkeypatch.setenv("FACTOR", "5")
    assert "golden row 1 gives 7.5" in server._load("m:1")
    assert [*server._engine.held()] == []
    monkeypatch.delenv("FACTOR")
    assert server._load("m:1") is None
    assert [*server._engine.held()] == ["m:1"]


def test_version_varies_if_two_calls_with_one_row_differ(version: Manifest) -> None:
    class Drawing(Scaled):
        def predict(self, rows):
            return np.random.random(len(rows))

    assert first_calls(Drawing(), version.signature, [[1.0, "red"]]).varies
    assert not first_calls(Scaled(), version.signature, [[1.0, "red"]]).varies


def test_first_calls_end_with_a_call_that_fails(version: Manifest) -> None:
    class Narrow:
        def predict(self, rows: pd.DataFrame) -> np.ndarray:
            if len(rows) > 64:
                raise ValueError("at most 64 rows")
            return np.zeros(len(rows))

    assert list(first_calls(Narrow(), version.signature, [[1.0, "red"]]).times) == ["1", "64"]
