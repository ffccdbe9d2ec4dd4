"""The first rows tell how fast a model is, whatever it takes at a time."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from telemetry.errors import ModelError
from tests.unit.files.rooms import numbers, source_of
from workers.jobs.first import try_first
from workers.jobs.journal import Journal

A = numbers("a")


def model(most: int, guilty: float) -> Any:
    """One that takes so many rows at a time, and refuses one value."""

    def answered(features: Any, rows: slice) -> Any:
        given = features[rows]
        if len(given) > most or (given == guilty).any():
            raise ModelError
        return {"predict": given[:, 0]}

    return SimpleNamespace(answer=answered, manifest=SimpleNamespace(signature=A))


@pytest.mark.parametrize("most", [1, 300, 1000])
def test_no_more_is_asked_at_a_time_than_a_model_takes(tmp_path: Path, most: int) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a\n" + "".join(f"{row}\n" for row in range(1000)))
    source = source_of(path, "csv", A)
    first = try_first(source, model(most, 7.0), Journal(tmp_path / "journal"), 1, "csv")
    assert [bad.line for bad in first.errors] == [9]
    assert first.speed.rows_per_second > 0
