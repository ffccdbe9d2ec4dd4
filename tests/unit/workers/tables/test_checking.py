"""Inputs that cannot be scored are refused before any work, with their line numbers."""

from pathlib import Path

import pytest

from telemetry.errors import InvalidInput
from tests.unit.workers.tables.sources import numbers, source_of
from workers.jobs.tables import checking
from workers.jobs.tables.checking import check_file
from workers.jobs.tables.spans import Source

AB = numbers("a", "b")


def source(directory: Path, content: str) -> Source:
    path = directory / "rows.csv"
    path.write_text(content)
    return source_of(path, "csv", AB, id_column="id")


@pytest.fixture(autouse=True)
def _few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "_ROWS", 2)


def test_bad_rows_are_reported(tmp_path: Path) -> None:
    found = check_file(source(tmp_path, "id,a,b\n" + "p,1,2\n,x,2\n,3,4\n,5\n,6,7\n"), tmp_path, 0)
    assert [row.line for row in found] == [3, 5]


def test_file_without_any_good_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="none of 3 rows can be scored; line 2: column 'a'") as e:
        check_file(source(tmp_path, "id,a,b\n" + ",x,2\n" * 3), tmp_path, 0)
    assert [detail.loc for detail in e.value.errors] == [("line", 2), ("line", 3), ("line", 4)]
    assert e.value.extra == {"line": 2}


@pytest.mark.parametrize("ids", ["pqp", "pqrsq", "ppqq"])
def test_duplicate_ids_are_refused(tmp_path: Path, ids: str) -> None:
    rows = "".join(f"{name},1,2\n" for name in ids)
    first = min(index for index, name in enumerate(ids) if ids.count(name) > 1)
    second = ids.index(ids[first], first + 1)
    message = f"line {second + 2}: line {first + 2} has the same id"
    with pytest.raises(InvalidInput, match=message):
        check_file(source(tmp_path, "id,a,b\n" + rows), tmp_path, 0)


def test_rows_without_an_id_are_not_the_same(tmp_path: Path) -> None:
    assert check_file(source(tmp_path, "id,a,b\n" + ",1,2\n" * 5), tmp_path, 0) == []


def test_comparing_ids_keeps_the_disk_reserve(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="must stay free"):
        check_file(source(tmp_path, "id,a,b\n" + "x,1,2\n"), tmp_path, 2**60)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]
