"""Five patterns of public notebooks: the engineering is done on the frame, before the model."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import Lasso, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, RobustScaler

from benchmarks.zoo.exhibit import Exhibit, Make
from benchmarks.zoo.exhibits import frames, own

_FRESH = frames.FRESH


def titanic_titles() -> Exhibit:
    """Title and deck are columns already; the rest is filled by hand."""
    frame = _titled(frames.titanic())
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["title", "deck", "Embarked", "family"]),
        remainder="passthrough",
    )
    forest = RandomForestClassifier(20, random_state=0)
    model = make_pipeline(encode, forest).fit(frame, frames.survived(frames.titanic()))
    fresh = _titled(frames.titanic(_FRESH, 1))
    fresh.loc[0, "title"] = "Countess"
    return Exhibit(model, frame, fresh)


def _titled(frame: Any) -> Any:
    kept = frame[["Pclass", "Age", "Fare", "Embarked"]]
    kept = kept.fillna({"Age": 29.7, "Embarked": "S"})
    return kept.assign(female=frame["Sex"] == "female", **own.title_and_deck(frame))


def house_price_maps() -> Exhibit:
    """Marks by a map within the pipeline, dummies of words, and a lasso."""
    frame = frames.houses().fillna({f"Lot{n}": 60.0 for n in range(4)})
    words = ["Neighborhood", "Street", "CentralAir", "MSZoning"]
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), words), remainder=RobustScaler()
    )
    model = make_pipeline(FunctionTransformer(own.ordinals), encode, Lasso(max_iter=5000))
    model.fit(frame, frames.prices(frame))
    fresh = frames.houses(_FRESH, 1).fillna({f"Lot{n}": 60.0 for n in range(4)})
    return Exhibit(model, frame, fresh)


def bike_sharing() -> Exhibit:
    """Hours and weekdays of a time that is text, as its CSV has it."""
    model = make_pipeline(
        FunctionTransformer(own.parts_of_time), GradientBoostingRegressor(n_estimators=30)
    )
    frame = _rentals(frames.ROWS, 0)
    model.fit(frame, pd.to_datetime(frame["datetime"]).dt.hour * 5 + frame["temp"])
    return Exhibit(model, frame, _rentals(_FRESH, 1))


def _rentals(rows: int, seed: int) -> Any:
    draw = frames.chance(seed)
    when = pd.Timestamp("2011-01-01") + pd.to_timedelta(draw.integers(0, 17_000, rows), "h")
    return pd.DataFrame(
        {
            "datetime": pd.Series(when).dt.strftime("%Y-%m-%d %H:%M:%S"),
            "season": draw.integers(1, 5, rows),
            "holiday": draw.integers(0, 2, rows),
            "temp": draw.normal(20, 8, rows).round(2),
            "humidity": draw.integers(20, 100, rows),
        }
    )


def telco_dummies() -> Exhibit:
    """Columns of `pandas.get_dummies`, which are booleans with blanks in their names."""
    frame, fresh = _telco(frames.ROWS, 0), _telco(_FRESH, 1)
    model = LogisticRegression(max_iter=2000).fit(
        frame, np.where(frame["tenure"] > 30, "No", "Yes")
    )
    return Exhibit(model, frame, fresh)


def _telco(rows: int, seed: int) -> Any:
    draw = frames.chance(seed)
    plain = pd.DataFrame(
        {
            "SeniorCitizen": draw.integers(0, 2, rows),
            "tenure": draw.integers(0, 73, rows),
            "MonthlyCharges": draw.normal(65, 30, rows).round(2),
            "Contract": draw.choice(["Month-to-month", "One year", "Two year"], rows),
            "Payment Method": draw.choice(["Mailed check", "Bank (auto)"], rows),
        }
    )
    return pd.get_dummies(plain, columns=["Contract", "Payment Method"])


def card_fraud() -> Exhibit:
    """Amount and time by robust scaling, the rest as principal components."""
    frame, fresh = _payments(frames.ROWS, 0), _payments(_FRESH, 1)
    scale = make_column_transformer((RobustScaler(), ["Amount", "Time"]), remainder="passthrough")
    fraud = (frame["V1"] + frame["V3"] > 1).astype(int)
    model = make_pipeline(scale, LogisticRegression(class_weight="balanced")).fit(frame, fraud)
    return Exhibit(model, frame, fresh)


def _payments(rows: int, seed: int) -> Any:
    draw = frames.chance(seed)
    parts = {f"V{n}": draw.normal(0, 1, rows) for n in range(1, 11)}
    amounts = draw.gamma(1, 90, rows).round(2)
    return pd.DataFrame({"Time": np.arange(rows) * 37.0, **parts, "Amount": amounts})


EXHIBITS: tuple[Make, ...] = (
    titanic_titles,
    house_price_maps,
    bike_sharing,
    telco_dummies,
    card_fraud,
)
