"""Engines: one that is not scikit-learn's serves requests and jobs alike."""

from contextlib import nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from registry.manifest import Manifest
from registry.store import Registry
from telemetry.errors import ModelError, ModelUnloadable, OutOfMemory
from tests.support.models import Doubling, Touchy, register
from workers.jobs.job_model import Model
from workers.models.engine import Answer, Engine, SklearnEngine, predict
from workers.models.tabular.table import Table


class Other:
    """An engine without estimators that gives ``output``, or doubles the first column."""

    def __init__(self, output: Any = None) -> None:
        self.output = output

    def hold(self, manifest: Manifest) -> None:
        pass

    def held(self) -> list[str]:
        return []

    def runtime_of(self, manifest: Manifest) -> str:
        return "other 1.0"

    def answer(self, manifest: Manifest, method: str, given: Any) -> Answer:
        return Answer(given[:, 0] * 2 if self.output is None else self.output, 1.5)


class Mute(Exception):
    """An exception whose text raises."""

    def __str__(self) -> str:
        raise RuntimeError


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    for model in (Doubling(), Touchy()):
        register(tmp_path, type(model).__name__.lower(), model, [[1.0, 0.0]])
    return Registry(tmp_path)


@pytest.fixture
def doubling(registry: Registry) -> Manifest:
    return registry.resolve("doubling").manifest


def test_rows_of_a_request_go_in_and_predictions_come_out(doubling: Manifest) -> None:
    computed = predict(Other(), doubling, "predict", [[1.0, 0.0], [None, 0.0]])
    assert computed.predictions == [2.0, None]
    assert computed.milliseconds == 1.5


def test_features_of_a_job_go_in_and_outputs_come_out(doubling: Manifest) -> None:
    model = Model(Other(), doubling, ("predict",), lambda _: nullcontext())
    table = Table(doubling.signature, matrix=np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]))
    answers = model.answer(table, slice(1, 3))
    assert answers["predict"].tolist() == [4.0, 6.0]


@pytest.mark.parametrize("output", [[1.0], [1.0, 2.0, 3.0], np.zeros((2, 2)).T[:1]])
def test_output_of_another_length_is_a_model_error(
    registry: Registry, doubling: Manifest, output: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Doubling, "predict", lambda *_: output)
    with pytest.raises(ModelError, match="for 2 rows"):
        predict(SklearnEngine(registry), doubling, "predict", [[1.0, 0.0]] * 2)


class Sized:
    """Has a length but no entries."""

    def __len__(self) -> int:
        return 2


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (None, "None"),
        (3.5, "a value of type float"),
        (np.float64(3.5), "a value of type float64"),
        (np.array(3.5), "a value of type ndarray"),
        ("ab", "a value of type str"),
        ({"a": 1, "b": 2}, "a value of type dict"),
        ({1, 2}, "a value of type set"),
        (iter([1, 2]), "a value of type list_iterator"),
        (Sized(), "a value of type Sized"),
    ],
)
def test_output_without_one_entry_for_each_row_is_a_model_error(
    registry: Registry,
    doubling: Manifest,
    output: Any,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Doubling, "predict", lambda *_: output)
    engine = SklearnEngine(registry)
    with pytest.raises(ModelError) as caught:
        predict(engine, doubling, "predict", [[1.0, 0.0]] * 2)
    assert caught.value.message == f"the model gave {told}, expected one prediction a row"
    model = Model(engine, doubling, ("predict",), lambda _: nullcontext())
    with pytest.raises(ModelError, match=told):
        model.answer(Table(doubling.signature, matrix=np.zeros((2, 2))), slice(0, 2))


@pytest.mark.parametrize(
    "output",
    [
        [1, 2],
        (1, 2),
        np.zeros((2, 3)),
        [np.zeros(2), np.zeros((2, 3))],
        pd.Series([1, 2]),
        csr_matrix(np.eye(2)),
    ],
    ids=lambda output: type(output).__name__,
)
def test_output_with_one_entry_for_each_row_is_accepted_in_every_form(
    registry: Registry, doubling: Manifest, output: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Doubling, "predict", lambda *_: output)
    given = predict(SklearnEngine(registry), doubling, "predict", [[1.0, 0.0]] * 2)
    assert len(given.predictions) == 2


def test_outputs_of_a_tuple_stay_outputs_where_rows_are_as_many(
    registry: Registry, doubling: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Doubling, "predict", lambda *_: (np.array([1, 2]), np.array([3, 4])))
    given = predict(SklearnEngine(registry), doubling, "predict", [[1.0, 0.0]] * 2)
    assert given.predictions == [[1, 3], [2, 4]]


def test_short_answer_of_another_engine_is_an_error(doubling: Manifest) -> None:
    with pytest.raises(ModelError, match="gave 1 predictions for 2 rows"):
        predict(Other(np.array([1.0])), doubling, "predict", [[1.0, 0.0]] * 2)


def test_output_without_json_is_a_model_error(doubling: Manifest) -> None:
    with pytest.raises(ModelError, match="TypeError"):
        predict(Other(np.array([object()])), doubling, "predict", [[1.0, 0.0]])


def test_sklearn_engine_is_an_engine(registry: Registry, doubling: Manifest) -> None:
    engine: Engine = SklearnEngine(registry)
    assert [*engine.held()] == []
    engine.hold(doubling)
    assert [*engine.held()] == ["doubling:1"]
    assert engine.answer(doubling, "predict", np.array([[2.0, 0.0]])).output.tolist() == [4.0]
    assert engine.runtime_of(doubling) == f"scikit-learn {version('scikit-learn')}"
    assert engine.drop("doubling:1")
    assert [*engine.held()] == []
    assert not engine.drop("doubling:1")


def test_model_error_names_what_the_model_raised(registry: Registry) -> None:
    engine, touchy = SklearnEngine(registry), registry.resolve("touchy").manifest
    with pytest.raises(ModelError, match=r"ValueError: \[666.0, 0.0\] is too much"):
        engine.answer(touchy, "predict", np.array([[666.0, 0.0]]))
    assert predict(engine, touchy, "predict", [[1.0, 0.0]]).predictions == [2.0]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Mute(), "Mute"),
        (ValueError("half \udc80"), "ValueError: half ?"),
        (SystemExit(3), "SystemExit: 3"),
    ],
    ids=["one that cannot be told", "half a character", "an exit"],
)
def test_model_error_of_any_exception_has_a_message(
    registry: Registry,
    doubling: Manifest,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    told: str,
) -> None:
    def raising(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(Doubling, "predict", raising)
    with pytest.raises(ModelError) as caught:
        SklearnEngine(registry).answer(doubling, "predict", np.array([[1.0, 0.0]]))
    assert caught.value.message == told


def test_memory_error_is_out_of_memory(
    registry: Registry, doubling: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def greedy(*_: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(Doubling, "predict", greedy)
    with pytest.raises(OutOfMemory):
        SklearnEngine(registry).answer(doubling, "predict", np.array([[1.0, 0.0]]))


def test_missing_artifact_is_model_unloadable(registry: Registry, doubling: Manifest) -> None:
    registry.artifact(doubling).unlink()
    with pytest.raises(ModelUnloadable):
        SklearnEngine(registry).hold(doubling)
