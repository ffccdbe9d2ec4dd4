"""The knowledge of steps is found through any nesting of wrappers."""

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import RFE, SelectFromModel
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from workers.models.signature.knowledge import Known, groups, known, used

SIZE = np.tile([0, 1, 2], 8)
FRAME = pd.DataFrame({"size": SIZE, "kind": np.roll(SIZE, 1) + 5})
Y, TWO = SIZE, SIZE > 0
SEEN = {0: (0, 1, 2), 1: (5, 6, 7)}


def encoder():
    return OneHotEncoder(handle_unknown="ignore")


def pipe(last=None):
    return make_pipeline(encoder(), last or LogisticRegression())


def several(*y):
    return np.column_stack(y).astype(int)


WRAPPERS = {
    "pipeline": (pipe(), Y),
    "pipelines": (make_pipeline("passthrough", make_pipeline(None, pipe())), Y),
    "column transformer": (
        make_pipeline(
            ColumnTransformer([("e", encoder(), ["size", "kind"])]), LogisticRegression()
        ),
        Y,
    ),
    "parts": (
        make_pipeline(
            ColumnTransformer(
                [("k", encoder(), ["kind"]), ("s", make_pipeline(encoder()), ["size"])]
            ),
            LogisticRegression(),
        ),
        Y,
    ),
    "remainder": (
        make_pipeline(
            ColumnTransformer([("k", encoder(), ["kind"])], remainder=encoder()),
            LogisticRegression(),
        ),
        Y,
    ),
    "union": (
        make_pipeline(
            FeatureUnion([("one", encoder()), ("two", OrdinalEncoder())]), LogisticRegression()
        ),
        Y,
    ),
    "search": (GridSearchCV(pipe(), {"logisticregression__C": [1.0]}, cv=2), Y),
    "calibrated": (CalibratedClassifierCV(pipe(), cv=2), Y),
    "calibrated at once": (CalibratedClassifierCV(pipe(), cv=2, ensemble=False), Y),
    "voting": (VotingClassifier([("a", pipe()), ("b", pipe())]), Y),
    "stacking": (StackingClassifier([("a", pipe())], cv=2), Y),
    "one against the rest": (OneVsRestClassifier(pipe()), Y),
    "one against one": (OneVsOneClassifier(pipe()), Y),
    "several outputs": (MultiOutputClassifier(pipe()), several(Y, TWO)),
    "bagging": (BaggingClassifier(pipe(), n_estimators=2, max_samples=1.0, random_state=0), Y),
    "fixed threshold": (FixedThresholdClassifier(pipe()), TWO),
    "tuned threshold": (TunedThresholdClassifierCV(pipe(), cv=2), TWO),
    "transformed target": (TransformedTargetRegressor(pipe(LinearRegression())), Y),
    "self training": (SelfTrainingClassifier(pipe()), Y),
    "boosting of histograms": (
        HistGradientBoostingClassifier(max_iter=1, categorical_features=[0, 1]),
        Y,
    ),
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_encoders_are_found_in_what_wraps_them(name):
    model, y = WRAPPERS[name]
    found = known(model.fit(FRAME, y), 2)
    assert {step.position for step in found} == {0, 1}
    for index, values in SEEN.items():
        seen = [set(map(int, step.values)) for step in found if step.position == index]
        assert set.union(*seen) == {
            *values
        }  # each one-vs-one estimator sees the rows of two classes
    assert used(model, 2) == {0, 1}


def test_step_that_sees_other_columns_is_not_looked_through():
    chain = ClassifierChain(pipe()).fit(FRAME.to_numpy(), several(TWO, TWO))
    found = known(chain, 2)
    assert {step.position: step.values for step in found if step.position < 2}.items() <= {
        (index, tuple(map(float, values))) for index, values in SEEN.items()
    }
    assert {step.position for step in found} <= {0, 1}
    choice = RFE(LogisticRegression(), n_features_to_select=1).fit(FRAME, Y)
    assert known(make_pipeline(choice, StandardScaler()).fit(FRAME, Y), 2) == []
    assert used(choice, 2) == {0, 1}


@pytest.mark.parametrize(
    "model",
    [
        AdaBoostClassifier(n_estimators=2),
        RandomForestClassifier(50),
        SelectFromModel(LogisticRegression()),
    ],
)
def test_ensembles_know_nothing_and_take_all(model):
    model.fit(FRAME, Y)
    assert known(model, 2) == []
    assert used(model, 2) == {0, 1}
    assert len(groups(model, 2)) <= 20


def test_bagging_shows_each_a_choice_of_the_columns():
    model = BaggingClassifier(pipe(), n_estimators=6, max_features=1, random_state=0)
    model.fit(FRAME, Y)
    assert {step.position for step in known(model, 2)} == {0, 1}
    for step in known(model, 2):
        assert step.values == SEEN[step.position]


@pytest.mark.parametrize(
    ("remainder", "taken"),
    [("drop", {0, 2}), ("passthrough", {0, 2, 3}), (StandardScaler(), {0, 2, 3})],
)
def test_dropped_column_is_unused(remainder, taken):
    frame = FRAME.assign(more=1.0, rest=SIZE)
    table = ColumnTransformer(
        [("e", encoder(), ["size"]), ("d", "drop", ["kind"]), ("p", "passthrough", ["more"])],
        remainder=remainder,
    )
    model = make_pipeline(table, LogisticRegression()).fit(frame, Y)
    assert used(model, 4) == taken
    assert used(GridSearchCV(model, {}, cv=2).fit(frame, Y), 4) == taken
    empty = make_pipeline(
        ColumnTransformer([("e", encoder(), []), ("n", "passthrough", ["more"])])
    ).fit(frame)
    assert used(empty, 4) == {2}


@pytest.mark.parametrize(
    ("step", "values", "expected"),
    [
        (OneHotEncoder(), ["b", "a", None], {"values": ("a", "b"), "null": "none"}),
        (OneHotEncoder(), ["b", "a", np.nan], {"values": ("a", "b"), "null": "nan"}),
        (OrdinalEncoder(), [0.5, np.nan], {"values": (0.5,), "dtype": "float64", "null": "nan"}),
        (OrdinalEncoder(), [True, False], {"values": (False, True), "dtype": "bool"}),
        (SimpleImputer(), [1.0, np.nan], {"use": "number", "null": "nan"}),
        (SimpleImputer(missing_values=-1), [1.0, -1], {"use": "number"}),
        (
            SimpleImputer(missing_values=None, strategy="most_frequent"),
            ["a", None],
            {"null": "none"},
        ),
        (
            SimpleImputer(missing_values=pd.NA, strategy="most_frequent"),
            ["a", pd.NA],
            {"null": "na"},
        ),
        (StandardScaler(), [1.0, 2.0], {"use": "number"}),
    ],
)
def test_steps_tell_what_they_know(step, values, expected):
    is_plain = all(isinstance(value, float | bool | int) for value in values)
    series = pd.Series(values, dtype=None if is_plain else object)
    assert known(step.fit(series.to_frame()), 1) == [Known(position=0, **expected)]


def test_vectorizer_reads_text():
    table = ColumnTransformer([("t", TfidfVectorizer(), "text")], remainder="drop")
    table.fit(pd.DataFrame({"n": [1, 2], "text": ["good film", "bad film"]}))
    assert known(table, 2) == [Known(position=1, use="string")]


def test_steps_behind_others_know_the_positions_of_columns():
    text = pd.DataFrame({"a": ["u", "v", None], "b": ["x", None, "y"]}, dtype=object)
    imputer = SimpleImputer(missing_values=None, strategy="most_frequent")
    behind = known(make_pipeline(imputer, OneHotEncoder()).fit(text), 2)
    assert {(s.position, s.values) for s in behind if s.values} == {
        (0, ("u", "v")),
        (1, ("x", "y")),
    }
    spoiled = SimpleImputer(missing_values=None, strategy="most_frequent", add_indicator=True)
    assert not any(s.values for s in known(make_pipeline(spoiled, OneHotEncoder()).fit(text), 2))
    gone = FRAME.assign(size=np.nan)
    model = make_pipeline(SimpleImputer(), OrdinalEncoder()).fit(gone)
    assert not any(s.values for s in known(model, 2))
