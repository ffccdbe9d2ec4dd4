"""Realistic data frames, generated from a seed."""

from typing import Any

import numpy as np
import pandas as pd

ROWS, FRESH = 150, 30
_SURNAMES = ("Braund", "Cumings", "Futrelle", "O'Dwyer", 'Duff "Cosmo"', "Löwe", "van Dyke")
_TITLES = ("Mr", "Mrs", "Miss", "Master", "Dr")
_HEARD = ("good", "bad", "dull", "great", "plot", "actor", "long", "never", "fine", "film")


def chance(seed: int) -> Any:
    """A random generator."""
    return np.random.default_rng(seed)


def holed(values: Any, share: float, draw: Any, nothing: Any = np.nan) -> Any:
    """The values, some of them missing."""
    return np.where(draw.random(len(values)) < share, nothing, np.asarray(values, dtype=object))


def titanic(rows: int = ROWS, seed: int = 0) -> Any:
    """Passengers: ages, cabins and ports are missing, and everything is mixed."""
    draw = chance(seed)
    names = [
        f"{draw.choice(_SURNAMES)}, {draw.choice(_TITLES)}. {draw.choice(['Ann', 'Owen'])}"
        for _ in range(rows)
    ]
    cabins = [f"{draw.choice(list('ABCDE'))}{draw.integers(1, 120)}" for _ in range(rows)]
    return pd.DataFrame(
        {
            "PassengerId": np.arange(1, rows + 1),
            "Pclass": draw.integers(1, 4, rows),
            "Name": names,
            "Sex": draw.choice(["male", "female"], rows),
            "Age": holed(draw.integers(1, 160, rows) / 2, 0.2, draw).astype(float),
            "SibSp": draw.integers(0, 4, rows),
            "Parch": draw.integers(0, 3, rows),
            "Ticket": [str(number) for number in draw.integers(1000, 400_000, rows)],
            "Fare": np.round(draw.gamma(2.0, 15.0, rows), 4),
            "Cabin": holed(cabins, 0.7, draw),
            "Embarked": holed(draw.choice(["S", "C", "Q"], rows), 0.05, draw),
        }
    )


def survived(frame: Any) -> Any:
    """Who did: mostly women, and the young."""
    return ((frame["Sex"] == "female") ^ (frame["Age"] < 14) ^ (frame["Fare"] > 80)).astype(int)


def houses(rows: int = ROWS, seed: int = 0) -> Any:
    """Thirty columns: numbers, some missing, ordinal marks, and neighbourhoods."""
    draw = chance(seed)
    numbers = {f"Area{n}": draw.normal(100 * n, 20, rows).round(1) for n in range(1, 11)}
    counts = {f"Count{n}": draw.integers(0, 5, rows) for n in range(1, 9)}
    holes = {f"Lot{n}": holed(draw.normal(60, 9, rows), 0.2, draw).astype(float) for n in range(4)}
    marks = {
        f"{what}Qual": holed(draw.choice(["Ex", "Gd", "TA", "Fa", "Po"], rows), share, draw)
        for what, share in {"Pool": 0.5, "Kitchen": 0.0, "Bsmt": 0.2, "Fence": 0.4}.items()
    }
    words = {
        "Neighborhood": draw.choice(["NAmes", "OldTown", "Gilbert", "NoRidge"], rows),
        "Street": draw.choice(["Pave", "Grvl"], rows, p=[0.95, 0.05]),
        "CentralAir": draw.choice(["Y", "N"], rows),
        "MSZoning": holed(draw.choice(["RL", "RM", "C (all)"], rows), 0.05, draw),
    }
    return pd.DataFrame({**numbers, **counts, **holes, **marks, **words})


def prices(frame: Any) -> Any:
    """What they cost, as far as two columns tell."""
    return 1000.0 + frame["Area5"] * 3 + 90 * frame["Count1"]


def borrowers(rows: int = ROWS, seed: int = 0) -> Any:
    """Credit: ages in ordered bins, from `pandas.cut`, booleans, and incomes with gaps."""
    draw = chance(seed)
    bins = pd.cut(
        draw.integers(18, 90, rows), [0, 25, 40, 65, 120], labels=["young", "mid", "old", "aged"]
    )
    return pd.DataFrame(
        {
            "age_bin": bins,
            "employed": draw.random(rows) < 0.8,
            "owns_home": holed(draw.random(rows) < 0.4, 0.15, draw),
            "income": holed(draw.lognormal(10, 0.5, rows).round(2), 0.1, draw).astype(float),
            "loans": draw.integers(0, 6, rows),
            "purpose": pd.Categorical(draw.choice(["car", "home", "trip"], rows)),
        }
    )


def defaulted(frame: Any) -> Any:
    """Whether the loan was paid back."""
    return np.where((frame["loans"] > 3) ^ (frame["age_bin"] == "young"), "default", "paid")


def customers(rows: int = ROWS, seed: int = 0) -> Any:
    """Churn: dates, text, ratios, and a date that is missing for customers that stay."""
    draw = chance(seed)
    start = pd.Timestamp("2021-03-01") + pd.to_timedelta(draw.integers(0, 900, rows), "D")
    last = start + pd.to_timedelta(draw.integers(1, 90 * 24, rows), "h")
    return pd.DataFrame(
        {
            "start": start,
            "last_seen": pd.Series(last).where(draw.random(rows) < 0.8),
            "total": draw.gamma(3, 40, rows).round(2),
            "orders": draw.integers(1, 30, rows),
            "email": [f"user{n}@{draw.choice(['mail.com', 'firm.org'])}" for n in range(rows)],
            "plan": draw.choice(["basic", "plus"], rows),
        }
    )


def churned(frame: Any) -> Any:
    """Who left, as a boolean."""
    return (frame["total"] / frame["orders"] > 10).to_numpy()


def texts(rows: int = ROWS, seed: int = 0) -> list[str]:
    """Some words each."""
    draw = chance(seed)
    return [" ".join(draw.choice(_HEARD, draw.integers(3, 9))) for _ in range(rows)]


def telling(found: list[str]) -> Any:
    """Whether a text is for or against."""
    return np.array(["pos" if ("good" in t) != ("bad" in t) else "neg" for t in found])


def sensors(rows: int = ROWS, seed: int = 0) -> Any:
    """Six numbers with gaps, that hang together."""
    draw = chance(seed)
    base = draw.normal(0, 1, (rows, 2)) @ draw.normal(0, 1, (2, 6))
    base += draw.normal(0, 0.1, base.shape)
    base[draw.random(base.shape) < 0.1] = np.nan
    return pd.DataFrame(base, columns=[f"s{n}" for n in range(6)])
