"""Kernels of column transformers over frames, as people have them before a model."""

import logging
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
    TargetEncoder,
)

from tests.unit.workers.kernels.kernel_bits import assert_same_bits
from workers.models.kernels.accelerating import accelerated
from workers.models.kernels.frames import encoders
from workers.models.kernels.frames.transformer import ColumnTransformerKernel

COUNT = 160
RANDOM = np.random.default_rng(0)


def _gaps(values: Any, dtype: str) -> pd.Series:
    made = pd.Series(values).astype(dtype)
    made[RANDOM.random(COUNT) < 0.1] = np.nan
    return made


FRAME = pd.DataFrame(
    {
        "age": RANDOM.integers(18, 90, COUNT),
        "balance": _gaps(RANDOM.normal(size=COUNT) * 1000, "float64"),
        "income": _gaps(RANDOM.normal(size=COUNT), "float64"),
        "city": _gaps(RANDOM.choice(["Basel", "Bern", "Genf"], COUNT), "str"),
        "job": RANDOM.choice([f"job {number}" for number in range(30)], COUNT),
        "member": RANDOM.random(COUNT) < 0.5,
        "plan": pd.Categorical(RANDOM.choice(["free", "paid", "team"], COUNT)),
        "rooms": RANDOM.integers(0, 5, COUNT),
        "mixed": pd.Series(RANDOM.choice(["a", "b"], COUNT), dtype=object).where(
            RANDOM.random(COUNT) > 0.1, None
        ),
    }
)
TARGET = (FRAME.balance.fillna(0) > 0) ^ FRAME.member
NUMBERS = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
FREQUENT = SimpleImputer(strategy="most_frequent")
UNSEEN = {"handle_unknown": "use_encoded_value", "unknown_value": -1}
PLACES = {
    "churn": make_column_transformer(
        (NUMBERS, ["age", "balance", "income"]),
        (make_pipeline(FREQUENT, OneHotEncoder(handle_unknown="ignore")), ["city", "job"]),
        ("passthrough", ["rooms"]),
    ),
    "credit": make_column_transformer(
        (NUMBERS, make_column_selector(dtype_include="float")),
        (OneHotEncoder(drop="if_binary", sparse_output=False), ["member", "plan", "rooms"]),
        (OrdinalEncoder(**UNSEEN, encoded_missing_value=-2), ["city", "job", "mixed"]),
        remainder="passthrough",
    ),
    "housing": make_column_transformer(
        (make_pipeline(SimpleImputer(), MinMaxScaler()), ["balance", "income"]),
        (OneHotEncoder(min_frequency=8, handle_unknown="infrequent_if_exist"), ["job"]),
        (TargetEncoder(random_state=0), ["plan", "rooms"]),
        ("passthrough", ["age", "member"]),
    ),
    "filled": make_column_transformer(
        (
            make_pipeline(
                SimpleImputer(strategy="constant", fill_value="?"),
                OrdinalEncoder(**UNSEEN),
                StandardScaler(),
            ),
            ["city", "plan", "member"],
        ),
        ("passthrough", ["age"]),
        ("drop", ["job"]),
    ),
    "some unknown": make_column_transformer(
        (TfidfVectorizer(), "job"),
        (KNNImputer(), ["balance", "age"]),
        (FunctionTransformer(np.square), ["rooms"]),
        (OneHotEncoder(handle_unknown="ignore"), ["city", "plan"]),
    ),
    "gaps and a function": make_column_transformer(
        (FunctionTransformer(np.square), ["rooms"]),
        (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), ["balance"]),
        (SimpleImputer(), ["age", "income"]),
        (OrdinalEncoder(**UNSEEN), ["plan"]),
    ),
}
MODELS = (
    LogisticRegression(max_iter=500),
    RandomForestClassifier(10, random_state=0),
    GradientBoostingClassifier(n_estimators=5),
)


def _name(value: Any) -> str:
    return type(value).__name__


def _unusual() -> list[pd.DataFrame]:
    """Rows with values that training had not, and the frame in other dtypes."""
    strange = FRAME[:4].assign(
        city=["Zug", None, np.nan, "Bern"], job="astronaut", mixed=[3, True, None, "a"]
    )
    texts = {name: FRAME[name].astype(object) for name in ("city", "job", "plan")}
    typed = {name: FRAME[name].astype("category") for name in ("city", "job", "rooms")}
    floats = {name: FRAME[name].astype(float) for name in ("age", "rooms")}
    numbers = FRAME.assign(rooms=17, age=FRAME.age.where(FRAME.age > 30))
    return [strange, FRAME.assign(**texts), FRAME.assign(**typed), FRAME.assign(**floats), numbers]


def _outcome(transform: Any, frame: pd.DataFrame) -> Any:
    try:
        made = transform(frame)
    except Exception as error:  # noqa: BLE001 - both must raise it
        return type(error), str(error)
    if hasattr(made, "indptr"):
        return type(made), made.data.tobytes(), made.indices.tobytes(), made.indptr.tobytes()
    bits = repr(made.tolist()) if made.dtype == object else made.tobytes()
    return made.dtype, made.shape, made.strides, bits


@pytest.mark.parametrize("model", MODELS, ids=_name)
@pytest.mark.parametrize("name", PLACES)
def test_kernels_of_frames_give_the_same_bits(name: str, model: Any) -> None:
    if name == "credit":
        model = make_pipeline(SimpleImputer(), model)
    fitted = make_pipeline(PLACES[name], model).fit(FRAME, TARGET)
    twin = assert_same_bits(fitted, FRAME, FRAME[:1], FRAME[7:9], FRAME[::-1])
    assert isinstance(twin[0], ColumnTransformerKernel)


@pytest.mark.parametrize("name", PLACES)
def test_kernels_of_frames_meet_strange_values_as_scikit_learn_does(name: str) -> None:
    original = PLACES[name].fit(FRAME, TARGET)
    twin = accelerated(original, "m:1")
    assert twin is not original
    for frame in (FRAME, FRAME[list(FRAME)[::-1]], FRAME.assign(more=1), *_unusual()):
        for rows in (frame, frame[:1], frame[1:2], frame[:0], frame.drop(columns="city")):
            assert _outcome(original.transform, rows) == _outcome(twin.transform, rows)
    array = FRAME.to_numpy()
    assert _outcome(original.transform, array) == _outcome(twin.transform, array)


@pytest.mark.parametrize("name", [name for name in PLACES if name != "some unknown"])
def test_kernels_of_frames_make_each_block_themselves(name: str) -> None:
    twin = accelerated(PLACES[name].fit(FRAME, TARGET), "m:1")
    assert twin.kernel.blocks(FRAME) is not None
    assert twin.kernel.blocks(FRAME[:1]) is not None


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "c", "new", "", None]),
            st.one_of(st.none(), st.floats()),
            st.sampled_from([0, 1, 2, 9]),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_kernels_of_frames_give_the_same_for_any_values(rows: list[Any]) -> None:
    frame = pd.DataFrame(rows, columns=["text", "number", "whole"]).astype(
        {"text": "str", "number": float}
    )
    assert _outcome(_SMALL.transform, frame) == _outcome(_SMALL_TWIN.transform, frame)


_SMALL = make_column_transformer(
    (make_pipeline(FREQUENT, OneHotEncoder(handle_unknown="ignore")), ["text"]),
    (NUMBERS, ["number", "whole"]),
    (OneHotEncoder(handle_unknown="ignore"), ["whole", "number"]),
).fit(
    pd.DataFrame(
        {"text": ["a", "b", None, "c"], "number": [0.5, -1.0, np.nan, 2.0], "whole": [0, 1, 1, 2]}
    ).astype({"text": "str"})
)
_SMALL_TWIN = accelerated(_SMALL, "m:1")


def test_kernels_of_histogram_boosting_read_categories_of_frames() -> None:
    typed = FRAME.astype(dict.fromkeys(["city", "job", "mixed"], "category"))
    for given_to_it in (typed, typed.drop(columns=["age", "balance", "income", "rooms", "member"])):
        boosted = HistGradientBoostingClassifier(categorical_features="from_dtype")
        fitted = boosted.fit(given_to_it, TARGET)
        strange = given_to_it[:3].assign(city=pd.Categorical(["Zug", None, "Bern"]))
        twin = assert_same_bits(fitted, given_to_it, given_to_it[:1], strange)
        assert twin._preprocessor.kernel.blocks(given_to_it) is not None


def test_kernels_of_estimators_take_frames_of_dummies_and_whole_numbers() -> None:
    dummies = pd.get_dummies(FRAME[["age", "balance", "city", "member"]]).fillna(0.5)
    whole = FRAME[["age", "rooms"]]
    for model in (*MODELS, HistGradientBoostingClassifier()):
        for frame in (dummies, dummies.drop(columns="balance"), whole):
            assert_same_bits(model.fit(frame, TARGET), frame, frame[:1])
    for regressor in (Ridge(), RandomForestRegressor(5, random_state=0)):
        assert_same_bits(regressor.fit(dummies, FRAME.age * 2.0), dummies, dummies[:1])


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"transformer_weights": {"city": 2.0}}, id="weights"),
        pytest.param({"sparse_threshold": 0, "frames": True}, id="frames"),
        pytest.param({"wide": True}, id="too-many-categories"),
        pytest.param({"float32": True}, id="float32"),
    ],
)
def test_kernels_are_not_made_of_other_column_transformers(
    change: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if change.pop("wide", False):
        monkeypatch.setattr(encoders, "MAX_ENTRIES", 5)
    dtype = np.float32 if change.pop("float32", False) else np.float64
    frames = change.pop("frames", False)
    encoder = OneHotEncoder(sparse_output=False, dtype=dtype)
    original = ColumnTransformer([("city", encoder, ["city", "plan"])], **change)
    original = original.set_output(transform="pandas") if frames else original
    fitted = original.fit(FRAME)
    with caplog.at_level(logging.WARNING):
        assert accelerated(fitted, "m:1") is fitted
    assert caplog.text.count("no kernel") == (1 if dtype is np.float32 else 0)


def test_kernel_of_a_frame_that_differs_is_not_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    mapping = encoders._mapping

    def wrong(*given: Any) -> Any:
        made = mapping(*given)
        made.outputs[0] += 1
        return made

    monkeypatch.setattr(encoders, "_mapping", partial(wrong))
    fitted = make_column_transformer((OneHotEncoder(), ["plan"])).fit(FRAME)
    with caplog.at_level(logging.WARNING):
        assert accelerated(fitted, "m:1") is fitted
    assert "other bits" in caplog.text
