"""A quantized network is a smaller ONNX model, compared with the one that it was made of."""

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import OneHotEncoder

from cli.models.commands import models
from cli.models.quantize import comparison_text
from telemetry.errors import Invalid
from workers.models.formats.all_formats import MODEL_FORMATS
from workers.models.formats.model_format import LoadOptions
from workers.models.optimizing.quantizing import Quantized, quantize_network
from workers.models.registration import examine

pytest.importorskip("skl2onnx")
FRAME = pd.DataFrame(np.random.default_rng(0).normal(size=(300, 8)), columns=list("abcdefgh"))
LABELS = np.where(FRAME["a"] + FRAME["b"] > 0, "yes", "no")
LAYERS: dict[str, Any] = {"hidden_layer_sizes": (128, 64), "max_iter": 40, "random_state": 0}


def _quantized(tmp_path: Path, model: Any, frame: pd.DataFrame = FRAME) -> Quantized:
    joblib.dump(model, tmp_path / "model")
    found = examine(tmp_path / "model", trust=True, sample=frame)
    return quantize_network(model, None, found.description.signature, frame)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Quantized]:
    model = MLPClassifier(**LAYERS).fit(FRAME, LABELS)
    return model, _quantized(tmp_path_factory.mktemp("network"), model)


def test_quantized_network_is_a_smaller_onnx_model(network: tuple[Any, Quantized]) -> None:
    model, found = network
    assert found.sizes[1] == len(found.content) < found.sizes[0] / 2
    (onnx,) = (each for each in MODEL_FORMATS if each.name == "onnx")
    assert onnx.recognises(found.content)
    labels = onnx.load(found.content, LoadOptions()).predict(FRAME.to_numpy())
    assert found.rows == len(FRAME)
    assert found.same == int(np.sum(labels == model.predict(FRAME))) > 0.9 * len(FRAME)
    assert 0 < found.difference < 0.3
    assert set(found.times) == {1, 64, 10_000}


def test_quantized_network_is_compared_in_words(network: tuple[Any, Quantized]) -> None:
    told = comparison_text(network[1])
    assert "bytes in float32, in 8 bits:" in told
    assert f"same label in {network[1].same / 300:.2%} of 300 rows" in told


def test_quantize_command_writes_a_file_and_refuses_it_afterwards(
    network: tuple[Any, Quantized], tmp_path: Path
) -> None:
    joblib.dump(network[0], tmp_path / "network.joblib")
    FRAME.to_parquet(tmp_path / "rows.parquet")
    small, sample = str(tmp_path / "small.onnx"), ["--sample", str(tmp_path / "rows.parquet")]
    done = CliRunner().invoke(
        models, ["quantize", str(tmp_path / "network.joblib"), small, *sample, "--trust"]
    )
    assert f"predictq models add NAME {small}" in done.output
    again = CliRunner().invoke(models, ["quantize", small, small, *sample])
    assert "small.onnx exists; name a new file" in again.output
    twice = CliRunner().invoke(models, ["quantize", small, f"{small}2", *sample])
    assert "the network is quantized already" in twice.output
    assert not Path(f"{small}2").exists()


def test_quantized_values_are_compared_by_their_spread(tmp_path: Path) -> None:
    model = MLPRegressor(**LAYERS).fit(FRAME, 1000 * FRAME["a"])
    found = _quantized(tmp_path, model)
    assert found.same is None
    assert 0 < found.difference < 0.3
    assert "% of the spread" in comparison_text(found)


@pytest.mark.parametrize("model", [LinearRegression(), GaussianNB()], ids=["line", "bayes"])
def test_quantizing_refuses_models_without_matrices(tmp_path: Path, model: Any) -> None:
    with pytest.raises(Invalid, match="only float32 matrices of weights"):
        _quantized(tmp_path, model.fit(FRAME, FRAME["a"] > 0))


def test_quantizing_refuses_columns_that_are_no_numbers(tmp_path: Path) -> None:
    frame = FRAME[["a"]].assign(g=pd.Categorical(LABELS))

    model = make_column_transformer((OneHotEncoder(), ["g"]), remainder="passthrough").fit(frame)
    with pytest.raises(Invalid, match="plain numbers"):
        _quantized(tmp_path, model, frame)
