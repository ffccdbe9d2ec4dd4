"""A row reaches the model in the same dtypes as if it had come alone."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.manifest import Column, Signature
from workers.models.tabular.columns import array_of
from workers.models.tabular.dtypes import cast_to_dtype, dtype_codes
from workers.models.tabular.table import Table, is_matrix

MANY: dict[str, tuple[Column, st.SearchStrategy[Any]]] = {
    "int8": (Column("a", dtype="int8"), st.integers(-200, 200) | st.floats(-9, 9) | st.none()),
    "uint8": (Column("b", dtype="uint8"), st.sampled_from([0, 7.0, 0.5, None, 255])),
    "bool": (Column("c", "boolean", dtype="bool"), st.sampled_from([True, False, None])),
    "any": (Column("d", "any"), st.sampled_from([1, 2.5, "x", True, None])),
    "str": (Column("e", "string", dtype="str"), st.sampled_from(["x", None])),
    "none": (Column("f", "string", dtype="object", null="none"), st.sampled_from(["x", None])),
    "float": (Column("g"), st.sampled_from([1, 0.5, True, None])),
    "category": (
        Column("h", "category", dtype="category", categories=("u", "v")),
        st.sampled_from(["u", "w", None]),
    ),
    "objects": (Column("i", "any", dtype="object"), st.sampled_from([1, "x", None])),
    "unused": (Column("j", "any", unused=True), st.none()),
}
SIGNATURE = Signature(tuple(column for column, _ in MANY.values()), True, True, ("predict",))
ROWS = st.lists(st.tuples(*(values for _, values in MANY.values())), min_size=1, max_size=6)


def alone(rows: list[Any]) -> list[pd.DataFrame]:
    return [Table.of(SIGNATURE, [row]).whole() for row in rows]


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_known_dtypes_are_those_of_the_row_alone(rows: list[Any]) -> None:
    found: dict[int, pd.DataFrame] = {}
    for indices, frame in Table.of(SIGNATURE, rows).parts():
        for n, index in enumerate(range(len(rows)) if indices is None else indices.tolist()):
            found[index] = frame.iloc[[n]].reset_index(drop=True)
    assert sorted(found) == [*range(len(rows))]
    for index, by_itself in enumerate(alone(rows)):
        fits = [by_itself[c].dtype == dtype for c, dtype in (("a", "int8"), ("b", "uint8"))]
        for name in ("d", "e", "f", "g", "i", "j"):
            values = found[index][name].tolist(), by_itself[name].tolist()
            assert repr(values[0]) == repr(values[1])
        assert found[index]["h"].isna().tolist() == by_itself["h"].isna().tolist()
        if all(fits) and by_itself["c"].dtype == bool:  # a row that fits every dtype never changes
            assert found[index].drop(columns=["d", "h"]).equals(by_itself.drop(columns=["d", "h"]))
            dtypes = found[index].dtypes.drop(["d", "h"])
            assert dtypes.equals(by_itself.dtypes.drop(["d", "h"]))


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        (Column("a", dtype="int64"), [1, 2, 3], [("int64", [1, 2, 3])]),
        (Column("a", dtype="int64"), [1, 2.0, 3], [("int64", [1, 2, 3])]),
        (Column("a", dtype="int64"), [1, 2.5, 3], [("int64", [1, 3]), ("float64", [2.5])]),
        (Column("a", dtype="int64"), [None, 2], [("int64", [2]), ("float64", [np.nan])]),
        (Column("a", dtype="int64"), [None, 0.5], [("float64", [np.nan, 0.5])]),
        (Column("a", dtype="Int64"), [1, None, 2.0], [("Int64", [1, pd.NA, 2])]),
        (Column("a", dtype="Int64"), [1, 0.5, None], [("Int64", [1, pd.NA]), ("Float64", [0.5])]),
        (Column("a", dtype="UInt8"), [1, 256], [("UInt8", [1]), ("Float64", [256.0])]),
        (
            Column("a", dtype="Int64"),
            [2**63 - 1, 2**63],
            [("Int64", [2**63 - 1]), ("Float64", [2.0**63])],
        ),
        (Column("a", dtype="Float32"), [1, 0.5, None], [("Float32", [1.0, 0.5, pd.NA])]),
        (Column("a", dtype="float64"), [1, 2.5, None], [("float64", [1.0, 2.5, np.nan])]),
        (
            Column("a", "boolean", dtype="bool"),
            [True, None],
            [("bool", [True]), ("object", [np.nan])],
        ),
        (
            Column("a", "any"),
            [1, "x", True, 2],
            [("float64", [1.0, 2.0]), ("bool", [True]), ("str", ["x"])],
        ),
        (Column("a", "any"), [1, None, 2], [("float64", [1.0, np.nan, 2.0])]),
        (Column("a", "any"), ["x", None, "y"], [("str", ["x", np.nan, "y"])]),
        (Column("a", "any"), [1, "x"], [("float64", [1.0]), ("str", ["x"])]),
        (Column("a", "any", dtype="object"), [1, "x"], [("object", [1, "x"])]),
    ],
)
def test_rows_of_other_dtypes_are_an_input_of_their_own(
    column: Column, values: list[Any], expected: list[Any]
) -> None:
    signature = Signature((column,), True, True, ("predict",))
    parts = [*Table.of(signature, [[value] for value in values]).parts()]
    found = [(str(frame["a"].dtype), frame["a"].tolist()) for _, frame in parts]
    assert repr(found) == repr(expected)


def test_whole_numbers_beyond_the_dtype_do_not_change_the_others() -> None:
    signature = Signature((Column("a", dtype="int8"),), True, True, ("predict",))
    parts = [*Table.of(signature, [[1], [1000], [2]]).parts()]
    assert [(str(frame["a"].dtype), frame["a"].tolist()) for _, frame in parts] == [
        ("int8", [1, 2]),
        ("float64", [1000.0]),
    ]


def test_unseen_categories_come_behind_those_of_the_model() -> None:
    for known, values in (("ba", ["c", "a", None]), ((3, 1), [7, 3.0, None]), ((0.5,), [1, 0.5])):
        column = Column("a", "category", dtype="category", categories=tuple(known), ordered=True)
        array = cast_to_dtype(column, array_of(column, values))
        assert array.categories.tolist()[: len(known)] == [*known]
        assert array.categories.tolist()[len(known) :] == values[:1]
        assert array.ordered
        assert pd.Series(array).isna().tolist() == [value is None for value in values]


def test_dtypes_are_grouped_where_there_may_be_several() -> None:
    for column, values in (
        (Column("a"), [1, None]),
        (Column("a", "string"), ["x", None]),
        (Column("a", "any"), [1, 2.0]),
        (Column("a", "any", unused=True), [None]),
        (Column("a", "boolean"), [True, None]),
    ):
        assert dtype_codes(column, array_of(column, values)) is None


def test_slice_of_a_table() -> None:
    for columns in ((Column("a"), Column("b")), (Column("a"), Column("b", "string"))):
        last = 9.0 if is_matrix(Signature(columns, True, True, ("p",))) else "x"
        table = Table.of(Signature(columns, True, True, ("p",)), [[n, last] for n in range(5)])
        assert len(table) == 5
        assert table[1:3].whole()["a"].tolist() == [1.0, 2.0]
        assert table[np.array([4, 0])].whole()["a"].tolist() == [4.0, 0.0]
        assert len(table[np.zeros(5, bool)]) == 0
