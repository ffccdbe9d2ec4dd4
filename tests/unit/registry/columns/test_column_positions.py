"""The columns of a model among those of a table."""

import pytest

from registry.columns.positions import column_positions
from registry.manifest import Column, Signature
from telemetry.errors import InvalidFeatures

COLUMNS = (Column("a"), Column("b"), Column("u", unused=True))
NAMED = Signature(COLUMNS, named=True, frame=True, methods=("predict",))
UNNAMED = Signature(COLUMNS, named=False, frame=False, methods=("predict",))


def test_columns_are_found_by_name() -> None:
    assert column_positions(NAMED, ["u", "x", "b", "a"]) == [3, 2, 0]
    assert column_positions(NAMED, ["a", "b"]) == [0, 1, None]
    assert column_positions(NAMED, ["a", "b", "x", "x"]) == [0, 1, None]


def test_columns_without_names_are_found_by_position() -> None:
    assert column_positions(UNNAMED, ["x", "x", "y"]) == [0, 1, 2]
    with pytest.raises(InvalidFeatures, match="the table has 2 columns, expected 3"):
        column_positions(UNNAMED, ["a", "b"])


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["b"], "column 'a' is missing"),
        (["x", "y"], r"column 'a' is missing; the model has no column 'x', 'y' \(and 1 more\)"),
        (["a", "b", "a"], "the table has column 'a' twice"),
    ],
)
def test_missing_and_double_columns_are_refused(names: list[str], told: str) -> None:
    with pytest.raises(InvalidFeatures, match=told) as refused:
        column_positions(NAMED, names)
    assert refused.value.errors[0].loc == ("a",)
