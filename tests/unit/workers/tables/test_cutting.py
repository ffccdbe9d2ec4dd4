"""Ends of records and spans in CSV: quotes, blank lines, and the size of a span."""

from pathlib import Path

import pytest

from telemetry.errors import InvalidInput
from tests.unit.workers.tables.sources import bad, blocks, features, numbers, source_of, written
from workers.jobs.tables.records import cutting

AB = numbers("a", "b")


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make block borders fall into records, as in large files."""
    monkeypatch.setattr(cutting, "BLOCK", 7)


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_unclosed_quote_at_the_end_of_the_file_is_a_bad_row(tmp_path: Path, end: str) -> None:
    read = blocks(written(tmp_path, 'a,b\n1,2\n3,"4' + end), "csv", AB, 10)
    assert [(row.line, row.message) for row in bad(read)] == [(3, "a quoted field does not end")]


@pytest.mark.parametrize("rows", [1, 2, 1000])
@pytest.mark.parametrize("opening", ['5,"6', '"5,6', '5,6,"'])
@pytest.mark.parametrize("behind", ["7,8\n", "7,8\n\n", "7,8", "\n7,8\n"])
def test_unclosed_quote_swallows_no_row(
    tmp_path: Path, small_blocks: None, rows: int, opening: str, behind: str
) -> None:
    path = written(tmp_path, f"a,b,c\n1,2,\n3,4,\n{opening}\n{behind}")
    with pytest.raises(InvalidInput, match="line 4: a quoted field does not end"):
        list(source_of(path, "csv", AB).spans(rows))


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_quoted_newline_at_the_end_of_the_file_is_no_bad_row(
    tmp_path: Path, small_blocks: None, end: str
) -> None:
    path = written(tmp_path, f'a,b,c\n1,2,"x\n"\n3,4,"y\n"",5"{end}')
    assert features(blocks(path, "csv", AB, 9)).tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("rows", [1, 2, 1000])
def test_blank_lines_lengthen_no_span(
    tmp_path: Path, small_blocks: None, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(cutting, "MAX_SPAN", 40)
    path = written(
        tmp_path, "a,b\n" + "\n" * 500 + "1,2\n3,4\n" + "\r\n" * 500 + "5,6\n" + "\n" * 500
    )
    spans = list(source_of(path, "csv", AB).spans(rows))
    assert max(span.stop - span.start for span in spans) <= 40 + 7
    read = blocks(path, "csv", AB, rows)
    assert features(read).tolist() == [[1, 2], [3, 4], [5, 6]]
    assert [line for block in read for line in block.lines] == [502, 503, 1004]


def test_spans_end_where_enough_bytes_are_gathered(
    tmp_path: Path, small_blocks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "MAX_SPAN", 40)
    path = written(tmp_path, "a,b\n" + "1,2\n" * 100)
    spans = list(source_of(path, "csv", AB).spans(1000))
    assert sum(span.rows for span in spans) == 100
    assert {span.rows for span in spans[:-1]} <= {10, 11}
