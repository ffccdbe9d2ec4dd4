"""The signature that inspection finds of a fitted model."""

from datetime import date
from decimal import Decimal

import msgspec
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from registry.manifest import Column, Signature
from telemetry.errors import Invalid, ModelUnloadable
from workers.models.signature.inspection import inspect
from workers.models.signature.names import names_of
from workers.models.signature.sample import of_rows

X, Y = load_iris(return_X_y=True)
FRAME = pd.DataFrame({"age": X[:, 0], "city": np.array(["Rome", "Oslo", "Bern"])[Y]})


def by_example(model, rows, names=None):
    """Inspect with a few JSON rows, whose dtypes are not those of the training data."""
    return inspect(model, names, of_rows(rows), typed=False)


def encoded(imputed: bool = False, **options):
    encoder = OneHotEncoder(**options)
    text = make_pipeline(SimpleImputer(strategy="most_frequent"), encoder) if imputed else encoder
    table = ColumnTransformer([("c", text, ["city"]), ("n", SimpleImputer(), ["age"])])
    return make_pipeline(table, LogisticRegression()).fit(FRAME, Y)


def test_model_fitted_on_arrays_takes_numbers_without_names():
    found = inspect(make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y), None)
    signature = found.signature
    assert signature.columns == tuple(Column(f"x{i}") for i in range(4))
    assert (signature.named, signature.frame, signature.flat) == (False, False, False)
    assert signature.methods == (
        *("predict", "predict_proba", "predict_log_proba", "decision_function"),
    )
    assert signature.classes == (0, 1, 2)
    assert signature.outputs == 1
    assert found.example == [0.0] * 4


def test_names_come_from_the_dictionary_form():
    signature = inspect(SVC().fit(X, Y), ["a", "b", "c", "d"]).signature
    assert [column.name for column in signature.columns] == ["a", "b", "c", "d"]
    assert (signature.named, signature.frame) == (True, False)
    assert signature.methods == ("predict", "decision_function")


def test_wrong_number_of_names_is_refused():
    with pytest.raises(ModelUnloadable, match="takes 4 features, but 1 are named"):
        inspect(SVC().fit(X, Y), ["a"])


def test_model_fitted_on_a_frame_wants_one():
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    signature = inspect(RandomForestClassifier(3).fit(frame, Y), None).signature
    assert (signature.named, signature.frame) == (True, True)


def test_missing_values_and_infinities_are_allowed_where_the_model_takes_them():
    signature = inspect(HistGradientBoostingClassifier(max_iter=3).fit(X, Y), None).signature
    assert {(c.nullable, c.infinite) for c in signature.columns} == {(True, True)}
    table = ColumnTransformer([("i", SimpleImputer(), [0, 2]), ("p", "passthrough", [1, 3])])
    signature = inspect(make_pipeline(table, LogisticRegression()).fit(X, Y), None).signature
    assert [c.nullable for c in signature.columns] == [True, False, True, False]
    assert not any(c.infinite for c in signature.columns)


@pytest.mark.parametrize("handle_unknown", ["ignore", "error"])
@pytest.mark.parametrize("imputed", [True, False])
def test_encoders_tell_which_columns_are_strings(handle_unknown, imputed):
    found = inspect(encoded(imputed, handle_unknown=handle_unknown), None)
    assert [(c.name, c.type) for c in found.signature.columns] == [
        ("age", "number"),
        ("city", "string"),
    ]
    assert found.example == [0.0, "Bern"]
    assert found.signature.columns[0].nullable


def test_categories_of_a_data_frame_are_strings():
    frame = FRAME.assign(city=FRAME["city"].astype("category"))
    found = inspect(HistGradientBoostingClassifier(max_iter=3).fit(frame, Y), None)
    assert {c.name: c.type for c in found.signature.columns} == {
        "age": "number",
        "city": "string",
    }
    assert found.signature.columns[1].categories == ("Bern", "Oslo", "Rome")


@pytest.mark.parametrize(
    "examples",
    [
        {"city": "Oslo", "age": 3},
        [{"city": "Oslo", "age": 3}, {"age": None, "city": "Rome"}],
        [3, "Oslo"],
        [[3, "Oslo"]],
    ],
)
def test_examples_tell_the_types(examples):
    found = by_example(encoded(), examples)
    assert [c.type for c in found.signature.columns] == ["number", "string"]
    assert found.example == [3, "Oslo"]


def test_boolean_in_the_example_makes_a_boolean_column():
    frame = pd.DataFrame({"age": X[:, 0], "member": Y == 1})
    found = by_example(LogisticRegression().fit(frame, Y), [5.1, True])
    assert [c.type for c in found.signature.columns] == ["number", "boolean"]


def test_examples_the_model_cannot_take_are_refused():
    with pytest.raises(ModelUnloadable, match="the sample has no column 'age'"):
        by_example(encoded(), [3])
    with pytest.raises(ModelUnloadable, match="takes 4 features .* the sample has 1"):
        by_example(SVC().fit(X, Y), [3])
    with pytest.raises(Invalid, match="lists of one length"):
        by_example(SVC().fit(X, Y), [[1, 2, 3, 4], [1, 2]])
    with pytest.raises(ModelUnloadable, match="refuses the sample: ValueError: .*Paris"):
        by_example(encoded(handle_unknown="error"), [3, "Paris"])


def test_logarithm_is_probed_with_ones():
    model = make_pipeline(FunctionTransformer(np.log), LogisticRegression()).fit(X, Y)
    found = inspect(model, None)
    assert {c.type for c in found.signature.columns} == {"number"}
    assert found.example == [1.0] * 4


def test_text_model_takes_one_string_for_each_row():
    model = make_pipeline(TfidfVectorizer(), LogisticRegression())
    model.fit(["good film", "bad film", "fine day"], ["y", "n", "y"])
    for examples in (None, ["good film"], [["good film"], ["bad film"]]):
        found = inspect(model, None) if examples is None else by_example(model, examples)
        signature = found.signature
        assert signature.flat
        assert [c.type for c in signature.columns] == ["string"]
    assert signature.classes == ("n", "y")


def test_classes_that_are_dates_are_those_of_the_stored_manifest():
    days = pd.to_datetime(["2024-01-02", "2024-01-03"]).to_numpy()
    signature = inspect(DecisionTreeClassifier().fit([[0], [1]], days), None).signature
    assert signature.classes == ("2024-01-02T00:00:00", "2024-01-03T00:00:00")
    assert msgspec.json.decode(msgspec.json.encode(signature), type=Signature) == signature


def test_several_outputs_are_counted():
    assert inspect(LinearRegression().fit(X, X[:, :3]), None).signature.outputs == 3


def test_unfitted_model_is_refused():
    with pytest.raises(ModelUnloadable, match="not fitted"):
        inspect(make_pipeline(StandardScaler(), LogisticRegression()), None)


class Picky:
    """A model without attributes that takes three integers above ten."""

    def predict(self, table):
        if (table <= 10).any() or table.shape[1] != 3:
            raise ValueError("too small")
        return table.sum(axis=1)


def test_model_without_knowledge_of_columns_needs_an_example():
    with pytest.raises(ModelUnloadable, match="give a --sample"):
        inspect(Picky(), None)
    found = by_example(Picky(), [11, 12, 13])
    assert [c.type for c in found.signature.columns] == ["number"] * 3
    assert by_example(Picky(), {"a": 11, "b": 12, "c": 13}).signature.named


def test_columns_take_anything_without_a_working_probe():
    found = inspect(Picky(), ["a", "b", "c"])
    assert found.example is None
    assert {c.type for c in found.signature.columns} == {"any"}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (pd.to_datetime(["2024-01-01", "2024-02-01"]), "2024-01-01T00:00:00"),
        (pd.to_datetime(["2024-01-01", "2024-02-01"], utc=True), "2024-01-01T00:00:00+00:00"),
        (pd.to_timedelta(["1h", "2h"]), "0 days 01:00:00"),
        ([date(2024, 1, 1), date(2024, 2, 1)], "2024-01-01"),
        ([Decimal("1.5"), Decimal("2.5")], "1.5"),
    ],
)
def test_values_that_an_encoder_knows_are_kept_as_json_has_them(values, told):
    frame = pd.DataFrame({"x": values})
    model = OneHotEncoder(handle_unknown="ignore").fit(frame)

    signature = inspect(model, None, frame).signature

    assert signature.columns[0].categories[0] == told
    assert msgspec.json.decode(msgspec.json.encode(signature), type=Signature) == signature


def test_times_that_an_encoder_knows_are_times_without_a_sample():
    frame = pd.DataFrame({"x": pd.to_datetime(["2024-01-01", "2024-02-01"])})

    column = inspect(OneHotEncoder(handle_unknown="ignore").fit(frame), None).signature.columns[0]

    assert (column.type, column.dtype) == ("datetime", str(frame.x.dtype))


def test_names_are_the_samples_where_a_library_wrote_underscores_for_spaces():
    class Spoiled:
        """Like LightGBM, which matches columns by position."""

        feature_names_in_ = np.array(["the_age", "b"])

    frame = pd.DataFrame(X[:, :2], columns=["the age", "b"])

    assert names_of(Spoiled(), None, frame).names == ("the age", "b")
    assert names_of(Spoiled(), None, None).names == ("the_age", "b")


def test_columns_of_singles_stay_so_in_an_array_of_doubles():
    frame = pd.DataFrame({"a": X[:, 0].astype("float32"), "b": Y})
    model = LogisticRegression().fit(frame.to_numpy(), Y)

    assert [c.dtype for c in inspect(model, None, frame).signature.columns] == [
        "float32",
        "float64",
    ]
