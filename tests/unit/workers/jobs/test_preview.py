"""The speed of a model is measured on the first rows, even if it takes few at a time."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from telemetry.errors import InvalidInput, ModelError
from tests.unit.workers.tables.sources import numbers, source_of
from workers.jobs.crash_bisect import CrashJournal
from workers.jobs.validation.preview import MAX_TRIED_BLOCKS, Preview, preview_first_rows

A = numbers("a")


def model(most: int, guilty: float) -> Any:
    """A model that takes at most so many rows at a time, and refuses one value."""

    def answered(features: Any, rows: slice) -> Any:
        given = features[rows].whole()
        if len(given) > most or (given == guilty).any():
            raise ModelError
        return {"predict": given[:, 0]}

    return SimpleNamespace(answer=answered, manifest=SimpleNamespace(signature=A))


@pytest.mark.parametrize("most", [1, 300, 1000])
def test_preview_asks_no_more_rows_than_a_model_takes(tmp_path: Path, most: int) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a\n" + "".join(f"{row}\n" for row in range(1000)))
    first = tried(path, model(most, 7.0))
    assert [bad.line for bad in first.errors] == [9]
    assert first.speed.rows_per_second > 0


def test_bad_rows_at_the_beginning_stop_nothing(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a\n" + "?\n" * 2500 + "1\n" * 10)
    first = tried(path, model(1000, 7.0))
    assert [bad.line for bad in first.errors] == [*range(2, 2502)]
    assert first.answers == ("prediction",)


def test_file_without_any_row_that_the_model_takes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.jobs.validation.preview.LARGE_CALL_ROWS", 5)
    path = tmp_path / "rows.csv"
    path.write_text("a\n" + "?\n" * 5 * MAX_TRIED_BLOCKS + "1\n")
    with pytest.raises(
        InvalidInput, match=rf"none of the first {5 * MAX_TRIED_BLOCKS} rows .* line 2: "
    ):
        tried(path, model(1000, 7.0))


def tried(path: Path, model: Any) -> Preview:
    return preview_first_rows(
        source_of(path, "csv", A), model, CrashJournal(path.with_name("j")), 1, "csv"
    )
