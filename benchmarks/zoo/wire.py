"""A model's own answers, and rows encoded without code of predictq's."""

import json
import math
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

RELATIVE, ABSOLUTE = 1e-12, 1e-13


def rows_by_hand(frame: Any, *, by_name: bool) -> list[Any]:
    """Convert a frame to objects or lists for JSON; missing values are null."""
    columns = [[_value(value) for value in frame[name]] for name in frame]
    rows = list(zip(*columns, strict=True))
    if not by_name:
        return [list(row) for row in rows]
    return [dict(zip(frame.columns, row, strict=True)) for row in rows]


def lines_by_hand(frame: Any, *, by_name: bool) -> str:
    """Convert a frame to NDJSON."""
    rows = rows_by_hand(frame, by_name=by_name)
    return "".join(json.dumps(row) + "\n" for row in rows)


def own_answers(answer: Any, rows: int) -> list[Any]:
    """Split an answer by row: a value, a list of values, or a list of lists for several outputs."""
    if hasattr(answer, "toarray"):
        answer = answer.toarray()
    if isinstance(answer, tuple) or (
        isinstance(answer, list) and answer and isinstance(answer[0], np.ndarray)
    ):
        return [list(each) for each in zip(*(own_answers(a, rows) for a in answer), strict=True)]
    if isinstance(answer, pd.DataFrame):
        return [[_value(v) for v in row] for row in answer.itertuples(index=False)]
    found = [_value(value) for value in answer]
    assert len(found) == rows, f"{len(found)} answers for {rows} rows"  # noqa: S101 - a check of the benchmark
    return found


def same(own: Any, served: Any) -> bool:
    """Whether two answers are equal: labels exactly, floats within the tolerance."""
    if isinstance(own, list) and isinstance(served, list):
        return len(own) == len(served) and all(map(same, own, served))
    if isinstance(own, float) and type(served) in (float, int):
        return math.isclose(own, served, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    if isinstance(own, str) and isinstance(served, str) and own[:4].isdigit() and "T" in own:
        return bool(pd.Timestamp(own) == pd.Timestamp(served))
    return type(own) is type(served) and bool(own == served)


def flat(answer: Any) -> Iterator[Any]:
    """Yield the values of an answer in the order of a file's columns."""
    if isinstance(answer, list):
        for each in answer:
            yield from flat(each)
    else:
        yield answer


def _value(value: Any) -> Any:
    if isinstance(value, np.ndarray | list | tuple):
        return [_value(each) for each in value]
    if value is None or pd.isna(value):
        return None
    if isinstance(value, np.datetime64):
        value = pd.Timestamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta | Decimal):
        return str(value)
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value
