"""A column's description: type, dtype, missing value, categories, range, words."""

from datetime import date, time
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from registry.manifest import Column
from telemetry.errors import ModelUnloadable
from tests.unit.workers.tabular.series import FULL, GAPPY, WHOLE
from workers.models.signature.describing import described_column
from workers.models.signature.knowledge import Known

TYPES = {
    **dict.fromkeys(
        [*WHOLE, "Int8", "UInt64", "Int64", "Float32", "Float64", "float16", "float32", "float64",
         "numbers"], "number"),
    **dict.fromkeys(["bool", "boolean", "truths"], "boolean"),
    **dict.fromkeys(["str", "string", "object"], "string"),
    **{name: "category" for name in FULL if "category" in name or name == "ordered"},
    **{name: "datetime" for name in FULL if name.startswith("datetime")},
    **{name: "duration" for name in FULL if name.startswith("timedelta")},
    "mixed": "any", "date": "date", "Decimal": "decimal",
}  # fmt: skip  # one case on a line
NULLS = {"boolean": "na", "string": "na", "object": "none", "date": "none", "Decimal": "none"}
NULLS |= dict.fromkeys(["Int8", "UInt64", "Int64", "Float32", "Float64"], "na")
NULLS |= dict.fromkeys(["mixed", "numbers", "truths"], "none")


@pytest.mark.parametrize("name", FULL)
def test_column_type_and_dtype(name: str) -> None:
    column = described_column("c", FULL[name], [])
    assert (column.type, column.dtype) == (TYPES[name], str(FULL[name].dtype))
    assert not column.nullable
    assert column.ordered == (name == "ordered")


@pytest.mark.parametrize("name", GAPPY)
def test_missing_values_of_a_column(name: str) -> None:
    column = described_column("c", GAPPY[name], [])
    assert column.nullable
    plain = "nat" if "64[" in name else "nan"
    assert column.null == NULLS.get(name, plain)


@pytest.mark.parametrize(
    ("values", "edges"),
    [
        ([3, 1, 2], (1.0, 3.0)),
        ([np.inf, 1.0], (1.0, None)),
        ([True, False], (None, None)),
        (["a", "b"], (None, None)),
        (pd.to_datetime(["2026-01-02", "2025-01-02"]),
         ("2025-01-02T00:00:00", "2026-01-02T00:00:00")),
        ([date(2026, 1, 2), date(2025, 1, 2)], ("2025-01-02", "2026-01-02")),
        ([Decimal("0.5"), Decimal(2)], (0.5, 2.0)),
        ([np.nan, np.nan], (None, None)),
        (pd.Categorical([3, 1]), (None, None)),
    ],
)  # fmt: skip  # one case on a line
def test_column_range(values: Any, edges: tuple[Any, Any]) -> None:
    column = described_column("c", pd.Series(values), [])
    assert (column.least, column.greatest) == edges


def test_words_that_read_as_missing_elsewhere() -> None:
    assert described_column("c", pd.Series(["NA", "", "x", "null"]), []).words == ("", "NA", "null")
    assert described_column("c", pd.Series(["NA", "u"]).astype("category"), []).words == ("NA",)
    assert described_column("c", pd.Series([1, 2]), []).words == ()


def test_knowledge_of_steps_takes_precedence() -> None:
    series = pd.Series(["a", np.nan], dtype=object)
    known = [Known(position=0), Known(position=0, values=("a", "b"), null="none")]
    assert described_column("c", series, known) == Column(
        "c", "string", nullable=True, dtype="object", null="none", categories=("a", "b")
    )


@pytest.mark.parametrize("value", [[1], {"a": 1}, b"x", 1j, time(1), (1,), object()])
def test_value_without_json_is_reported(value: Any) -> None:
    series = pd.Series([value], dtype=object)
    with pytest.raises(ModelUnloadable, match=f"column 'c'.*holds a {type(value).__name__}"):
        described_column("c", series, [])


def test_categories_without_json_are_reported() -> None:
    series = pd.Series(pd.to_datetime(["2026-01-02"])).astype("category")
    with pytest.raises(ModelUnloadable, match="categories of column 'c' are of type Timestamp"):
        described_column("c", series, [])


def test_column_without_any_value() -> None:
    assert described_column("c", pd.Series([None, None], dtype=object), []).type == "any"
    assert described_column("c", pd.Series([np.nan]), []) == Column(
        "c", nullable=True, dtype="float64"
    )
