"""Signatures found from a sample: dtypes, missing values, unused columns."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from telemetry.errors import ModelUnloadable
from workers.gate.comparing import differences
from workers.models.signature.inspection import inspect

SIZE = 24
FRAME = pd.DataFrame(
    {
        "age": np.arange(SIZE),
        "city": np.tile(["Rome", "Oslo", None], SIZE // 3),
        "note": np.tile(["x", "y"], SIZE // 2),
        "paid": np.tile([True, False], SIZE // 2),
    }
)
Y = np.tile([0, 1], SIZE // 2)


def table(**more):
    city = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="?", **more),
        OneHotEncoder(handle_unknown="ignore"),
    )
    parts = [("n", StandardScaler(), ["age"]), ("c", city, ["city"]), ("d", "drop", ["note"])]
    return make_pipeline(ColumnTransformer(parts), LogisticRegression())


def proved(model, sample, names=None):
    """Inspect a model, check that the gate finds no difference, and return the signature."""
    found = inspect(model, names, sample)
    assert differences(model, found.signature, found.own_answers) == []
    return found


def test_sample_tells_dtypes_nulls_and_what_is_unused():
    found = proved(table().fit(FRAME, Y), FRAME)
    age, city, note, paid = found.signature.columns
    assert (age.dtype, age.least, age.greatest) == ("int64", 0.0, 23.0)
    assert (city.type, city.nullable, city.null) == ("string", True, "nan")
    assert note.unused
    assert paid.unused
    assert found.example == [0, "Rome", None, None]
    assert found.own_answers.frame["note"].isna().all()


def test_missing_value_that_an_imputer_knows_is_the_one_that_it_meets():
    frame = FRAME.assign(city=FRAME["city"].astype(object).where(FRAME["city"].notna(), None))
    model = table(missing_values=None).fit(frame, Y)
    assert proved(model, FRAME).signature.columns[1].null == "none"


def test_unused_column_may_be_absent_from_the_sample():
    model = table().fit(FRAME, Y)
    signature = proved(model, FRAME[["city", "age"]]).signature
    assert [column.unused for column in signature.columns] == [False, False, True, True]
    with pytest.raises(ModelUnloadable, match="no column 'age', which the model takes; it has 'ci"):
        inspect(model, None, FRAME[["city"]])


def test_column_that_a_step_only_passes_on_is_used():
    def first(frame):
        return frame[["age"]]

    model = make_pipeline(FunctionTransformer(first), LinearRegression()).fit(FRAME, Y)
    assert not any(column.unused for column in inspect(model, None, FRAME).signature.columns)


def test_duplicate_column_is_reported():
    double = pd.concat([FRAME, FRAME[["age"]]], axis=1)
    with pytest.raises(ModelUnloadable, match="more than one column 'age'"):
        inspect(table().fit(FRAME, Y), None, double)


@pytest.mark.parametrize("dtype", ["int64", "float32", "uint8", "bool"])
def test_array_of_one_dtype_makes_columns_of_it(dtype):
    x = (np.random.default_rng(0).normal(size=(20, 3)) > 0).astype(dtype)
    signature = proved(LogisticRegression().fit(x, Y[:20]), pd.DataFrame(x)).signature
    assert {column.dtype for column in signature.columns} == {dtype}
    assert (signature.named, signature.frame) == (False, False)


def test_names_of_the_sample_are_the_names_of_a_model_that_has_none():
    x = FRAME[["age", "paid"]].astype(float)
    signature = proved(LogisticRegression().fit(x.to_numpy(), Y), x).signature
    assert [column.name for column in signature.columns] == ["age", "paid"]
    assert (signature.named, signature.frame) == (True, False)
    renamed = proved(
        LogisticRegression().fit(x.to_numpy(), Y), x.set_axis([0, 1], axis=1), ["a", "b"]
    )
    assert [column.name for column in renamed.signature.columns] == ["a", "b"]


def test_times_that_a_file_made_text_of_are_times_again():
    days = pd.DataFrame({"day": pd.date_range("2026-01-01", periods=SIZE, freq="D")})

    def weekday(frame):
        return frame["day"].dt.day_of_week.to_frame()

    model = make_pipeline(FunctionTransformer(weekday), LinearRegression()).fit(days, Y)
    text = days.astype(str)
    found = proved(model, text)
    assert found.signature.columns[0].type == "datetime"
    assert found.example == ["2026-01-01T00:00:00"]


def test_sample_of_a_text_model():
    model = make_pipeline(CountVectorizer(), MultinomialNB()).fit(["good day", "bad day"], [1, 0])
    signature = proved(model, pd.DataFrame({"text": ["good", "bad", "NA", ""]})).signature
    assert signature.flat
    assert signature.columns[0].words == ("", "NA")


def test_sample_refusal_has_the_model_s_reason():
    model = LogisticRegression().fit(FRAME[["age"]], Y)
    with pytest.raises(ModelUnloadable, match="refuses the sample: ValueError: could not convert"):
        inspect(model, None, pd.DataFrame({"age": ["young"]}))
