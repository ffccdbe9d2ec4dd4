"""Categories of gradient boosting models are those of their training frames."""

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression

from registry.manifest import Column
from telemetry.errors import ModelUnloadable
from workers.gate.comparing import differences
from workers.models.signature import boosters
from workers.models.signature.inspection import inspect

lightgbm = pytest.importorskip("lightgbm")
xgboost = pytest.importorskip("xgboost")

CITIES = np.tile(["Rome", "Oslo", "Bern"], 20)
FRAME = pd.DataFrame(
    {
        "age": np.arange(60.0),
        "city": pd.Categorical(CITIES, categories=["Rome", "Bern", "Oslo"]),
        "grade": pd.Categorical(np.tile([3, 1], 30), categories=[3, 1]),
    }
)
Y = (CITIES == "Rome").astype(int)
SMALL = {"n_estimators": 3, "n_jobs": 1}


def of_lightgbm(**more):
    return lightgbm.LGBMClassifier(**SMALL, verbose=-1, min_child_samples=1, **more)


def of_xgboost(**more):
    return xgboost.XGBClassifier(**SMALL, enable_categorical=True, tree_method="hist", **more)


LIBRARIES = pytest.mark.parametrize("library", [of_lightgbm, of_xgboost])


@LIBRARIES
def test_categories_are_kept_in_their_order(library):
    model = library().fit(FRAME, Y)
    found = boosters.categories(model)
    assert found[1] == ("Rome", "Bern", "Oslo")
    assert tuple(map(int, found[2])) == (3, 1)
    assert set(found) == {1, 2}


@LIBRARIES
def test_booster_without_categories_has_none(library):
    model = library().fit(FRAME[["age"]], Y)
    assert boosters.categories(model) == {}
    assert boosters.categories(LogisticRegression().fit(FRAME[["age"]], Y)) == {}


def test_native_boosters_keep_categories():
    model = of_lightgbm().fit(FRAME, Y)
    assert set(boosters.categories(model.booster_)) == {1, 2}
    named = of_lightgbm().fit(FRAME[["age"]], Y, categorical_feature=[0])
    assert boosters.categories(named) == {}
    assert set(boosters.categories(of_xgboost().fit(FRAME, Y).get_booster())) == {1, 2}


@LIBRARIES
@pytest.mark.parametrize("wrapped", [False, True])
def test_booster_s_categories_without_a_sample(library, wrapped):
    model = CalibratedClassifierCV(library(), cv=2) if wrapped else library()
    found = inspect(model.fit(FRAME, Y), None)
    age, city, grade = found.signature.columns
    assert age.type == "number"
    assert (city.type, city.dtype) == ("category", "category")
    assert city.categories == ("Rome", "Bern", "Oslo")
    assert grade.type == "category"
    assert found.example is not None


def test_ordered_categories_of_lightgbm_need_a_sample():
    frame = FRAME.assign(city=FRAME.city.cat.as_ordered())
    model = of_lightgbm().fit(frame, Y)
    with pytest.raises(ModelUnloadable, match="ordered categories, .* give a --sample"):
        inspect(model, None)
    found = inspect(model, None, frame)
    assert differences(model, found.signature, found.own_answers) == []


@LIBRARIES
def test_sample_regains_categories_that_its_file_lost(library):
    model = library().fit(FRAME, Y)
    forgotten = FRAME.astype({"city": str, "grade": int})
    found = inspect(model, None, forgotten)
    assert isinstance(found.signature.columns[1], Column)
    assert found.signature.columns[1].categories == ("Rome", "Bern", "Oslo")
    assert np.array_equal(found.own_answers.answers["predict_proba"], model.predict_proba(FRAME))
    assert differences(model, found.signature, found.own_answers) == []
