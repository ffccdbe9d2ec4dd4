"""A series of each dtype that a model may be trained on, without and with missing values."""

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd

WHOLE = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
DAYS = ["2026-01-02T03:04:05.000006", "1999-12-31T23:59:59"]
FULL = {
    **{name: pd.Series([1, 2, 100], dtype=name) for name in WHOLE},
    "Int8": pd.Series([1, 2], dtype="Int8"),
    "UInt64": pd.Series([1, 2**64 - 1], dtype="UInt64"),
    "Int64": pd.Series([1, 2**63 - 1], dtype="Int64"),
    "Float32": pd.Series([1.5, 0.1], dtype="Float32"),
    "Float64": pd.Series([1.5, 0.1], dtype="Float64"),
    "float16": pd.Series([1.5, 0.1], dtype="float16"),
    "float32": pd.Series([1.5, 0.1], dtype="float32"),
    "float64": pd.Series([1.5, 0.1, 1e300]),
    "bool": pd.Series([True, False]),
    "boolean": pd.Series([True, False], dtype="boolean"),
    "str": pd.Series(["a", "", "NA"], dtype="str"),
    "string": pd.Series(["a", "b"], dtype="string"),
    "object": pd.Series(["a", "b"], dtype=object),
    "mixed": pd.Series(["a", 1, 2.5, True], dtype=object),
    "numbers": pd.Series([1, 2.5], dtype=object),
    "truths": pd.Series([True, False], dtype=object),
    "category": pd.Series(["b", "a"]).astype(pd.CategoricalDtype(["b", "a", "c"])),
    "ordered": pd.Series(["b", "a"]).astype(pd.CategoricalDtype(["b", "a"], ordered=True)),
    "category of int": pd.Series([3, 1]).astype(pd.CategoricalDtype([3, 1, 2])),
    "category of float": pd.Series([0.5, 1.5]).astype("category"),
    "category of bool": pd.Series([True, False]).astype("category"),
    "datetime64[ns]": pd.Series(DAYS).astype("datetime64[ns]"),
    "datetime64[us]": pd.Series(DAYS).astype("datetime64[us]"),
    "datetime64[s]": pd.Series(["2026-01-02T03:04:05"]).astype("datetime64[s]"),
    "datetime64[ms, UTC]": pd.Series(["2026-01-02T03:04:05+00:00"]).astype("datetime64[ms, UTC]"),
    "datetime64[ns, Europe/Berlin]": pd.Series(
        ["2026-01-02T03:04:05+01:00", "2026-07-02T03:04:05+02:00"]
    )
    .apply(pd.Timestamp)
    .astype("datetime64[ns, Europe/Berlin]"),
    "timedelta64[ns]": pd.Series(pd.to_timedelta(["1 days 02:03:04.5", "-1s"])).astype(
        "timedelta64[ns]"
    ),
    "timedelta64[s]": pd.Series(pd.to_timedelta(["90s", "2 days"])).astype("timedelta64[s]"),
    "date": pd.Series([date(2026, 1, 2), date(1, 1, 1)], dtype=object),
    "Decimal": pd.Series([Decimal("1.10"), Decimal("-0.3")], dtype=object),
}
_MISSING = {
    **dict.fromkeys(["float16", "float32", "float64", "str"], np.nan),
    **dict.fromkeys(["Int8", "UInt64", "Int64", "Float32", "Float64", "boolean", "string"], pd.NA),
    **dict.fromkeys(["object", "mixed", "numbers", "truths", "date", "Decimal"], None),
    **{name: np.nan for name in FULL if "category" in name or name == "ordered"},
    **{name: pd.NaT for name in FULL if "64[" in name},
}


def gappy(name: str, missing: object) -> pd.Series:
    """The series with a missing value appended."""
    series = FULL[name]
    if series.dtype == object:
        return pd.Series([*series, missing], dtype=object)
    return pd.concat([series, pd.Series([missing], dtype=series.dtype)], ignore_index=True)


GAPPY = {name: gappy(name, missing) for name, missing in _MISSING.items()}
GAPPY |= {f"{name} with NaN": gappy(name, np.nan) for name in ("object", "mixed", "numbers")}
"""The series with a missing value; NumPy's integers and booleans have none."""
