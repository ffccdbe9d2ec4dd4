"""Parts of a CSV output look alike, whatever rows are in them."""

import csv
from io import BytesIO

import pyarrow as pa
import pytest

from workers.jobs.tables.output.encoding import encode_part


def encoded(*columns: pa.Array) -> str:
    file = BytesIO()
    encode_part(pa.table(columns, names=[f"c{n}" for n, _ in enumerate(columns)]), "csv", file)
    return file.getvalue().decode()


@pytest.mark.parametrize(
    ("values", "text"),
    [([2, None, 3, None], "2"), ([0.5, None, -1.0, None], "0.5"), ([True, None, False], "true")],
)
def test_csv_of_one_column_quotes_its_nulls_alone(values: list[object], text: str) -> None:
    """A part without nulls has its values without quotes, too, and no reader skips a line."""
    header, *lines = encoded(pa.array(values)).splitlines()
    assert (header, lines[0], lines[1]) == ('"c0"', text, '""')
    assert lines[0] == encoded(pa.array(values[:1])).splitlines()[1]
    assert len(list(csv.reader(lines))) == len(values)


def test_csv_of_one_column_of_texts_tells_nulls_by_empty_quotes() -> None:
    assert encoded(pa.array(["a\n\nb", None])) == '"c0"\n"a\n\nb"\n""\n'


def test_csv_of_several_columns_has_empty_fields_for_nulls() -> None:
    assert encoded(pa.array([1, None]), pa.array([None, 2])) == '"c0","c1"\n1,\n,2\n'


def test_csv_of_nulls_alone_has_a_line_for_each() -> None:
    assert encoded(pa.nulls(3)) == '"c0"\n""\n""\n""\n'


def test_csv_of_no_columns_is_empty() -> None:
    assert encoded() == ""
