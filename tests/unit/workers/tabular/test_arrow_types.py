"""Which types of Arrow each column of a model takes."""

import pyarrow as pa
import pytest

from registry.manifest import Column, Kind, Signature
from registry.rows.diagnosis import MAX_DETAILS
from workers.models.tabular.arrow_types import type_faults

NUMBERS = pa.int8(), pa.uint64(), pa.float16(), pa.float64(), pa.decimal128(5, 2)
TEXTS = pa.string(), pa.large_string(), pa.string_view()
DAYS = pa.date32(), pa.date64()
MOMENTS = pa.timestamp("s"), pa.timestamp("ns", "UTC")
SPANS = (pa.duration("ms"),)
FLAG = (pa.bool_(),)
NESTED = pa.list_(pa.int8()), pa.binary(), pa.struct([("a", pa.int8())]), pa.time32("s")
ALL = (*NUMBERS, *TEXTS, *DAYS, *MOMENTS, *SPANS, *FLAG, *NESTED)
TAKEN: dict[Kind, tuple[pa.DataType, ...]] = {
    "number": (*NUMBERS, *FLAG),
    "string": TEXTS,
    "boolean": FLAG,
    "category": (*NUMBERS, *TEXTS, *FLAG),
    "datetime": (*MOMENTS, *DAYS, *TEXTS),
    "duration": (*SPANS, *TEXTS),
    "date": (*DAYS, *MOMENTS, *TEXTS),
    "decimal": (*NUMBERS, *TEXTS),
    "any": (*NUMBERS, *TEXTS, *FLAG, *DAYS, *MOMENTS, *SPANS),
}


def is_taken(column: Column, kind: pa.DataType) -> bool:
    signature = Signature((column,), True, True, ("predict",))
    return not type_faults(signature, [pa.field(column.name, kind)])


@pytest.mark.parametrize("kind", TAKEN)
def test_columns_take_the_types_that_hold_their_values(kind: Kind) -> None:
    column = Column("c", kind)
    assert tuple(each for each in ALL if is_taken(column, each)) == tuple(
        each for each in ALL if each in TAKEN[kind]
    )
    assert is_taken(column, pa.null()), "all of its values are missing"
    assert is_taken(column, pa.dictionary(pa.int8(), TAKEN[kind][0]))
    assert not is_taken(column, pa.dictionary(pa.int8(), pa.binary()))
    assert is_taken(Column("c", kind, unused=True), pa.binary())


def test_columns_of_known_numbers_take_no_booleans() -> None:
    assert not is_taken(Column("c", dtype="float64"), pa.bool_())


def test_wrong_types_are_told_with_their_columns_up_to_a_bound() -> None:
    names = [f"c{number}" for number in range(MAX_DETAILS + 2)]
    signature = Signature(tuple(map(Column, names)), True, True, ("predict",))
    fields = [None, *(pa.field(name, pa.string()) for name in names[1:])]
    found = type_faults(signature, fields)
    assert [detail.loc for detail in found] == [(name,) for name in names[1 : MAX_DETAILS + 1]]
    assert found[0].msg == "column 'c1': expected a number, got string"
