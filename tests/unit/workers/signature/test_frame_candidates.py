"""Dtypes that a sample's file could not keep are restored from the model's steps."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from workers.gate.comparing import differences
from workers.models.signature.inspection import inspect
from workers.models.signature.sample import read_sample

LABELS = [0, 1, 1, 0]


def encoded(frame):
    encode = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), [*frame.columns]))
    return make_pipeline(encode, LogisticRegression()).fit(frame, LABELS)


def again(frame, path):
    write = frame.to_parquet if path.suffix == ".parquet" else frame.to_csv
    write(path, index=False)
    return read_sample(path)


@pytest.mark.parametrize(
    "texts",
    [
        ["24", "24", "82", "24"],
        ["24", None, "82", "24"],
        ["True", "False", "True", "True"],
        ["24.5", "x", "82", "24"],
    ],
)
def test_text_that_looks_like_something_else_in_csv_is_text(texts, tmp_path):
    frame = pd.DataFrame({"code": texts, "kind": list("abab")})
    model = encoded(frame)
    found = inspect(model, None, again(frame, tmp_path / "rows.csv"))
    column = found.signature.columns[0]
    assert (column.type, column.dtype) == ("string", "str")
    assert [*found.own_answers.answers["predict"]] == [*model.predict(frame)]
    assert not differences(model, found.signature, found.own_answers)


def test_objects_have_the_missing_value_that_their_encoder_knows(tmp_path):
    frame = pd.DataFrame({"owns": np.array([True, False, np.nan, True], dtype=object)})
    model = encoded(frame)
    found = inspect(model, None, again(frame, tmp_path / "rows.parquet"))
    assert (
        found.own_answers.answers["predict_proba"].tolist() == model.predict_proba(frame).tolist()
    )
    assert not differences(model, found.signature, found.own_answers)


def numbers_of_times(frame):
    return frame.assign(when=pd.to_datetime(frame["when"]).dt.hour)


def test_column_that_takes_numbers_and_times_is_unknown():
    frame = pd.DataFrame(
        {"when": [f"2024-05-0{n} 0{n}:00:00" for n in (1, 2, 3, 4)], "n": [1.0] * 4}
    )
    model = make_pipeline(FunctionTransformer(numbers_of_times), LogisticRegression())
    found = inspect(model.fit(frame, LABELS), None)
    assert found.unknown == ("when",)


class Later:
    feature_names_in_ = ("when", "cost")

    def predict(self, frame):
        return (frame["when"] + pd.Timedelta(days=1)).to_numpy()


def test_model_of_times_takes_anything_in_unused_columns():
    found = inspect(Later(), None)
    assert [column.type for column in found.signature.columns] == ["datetime", "any"]
