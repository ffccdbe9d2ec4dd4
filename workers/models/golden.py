"""Golden rows: rows kept with the model's own answers, and compared again at each load."""

import math
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec
import pandas as pd

from registry.manifest import Manifest, Signature
from registry.readiness import GoldenRows
from telemetry.errors import Invalid, ModelError, ModelUnloadable
from workers.models.engine import Engine, answer_table
from workers.models.signature.own_answers import OwnAnswers
from workers.models.signature.wire import wire_rows
from workers.models.tabular.equality import equal
from workers.models.tabular.outputs import Output, to_wire
from workers.models.tabular.table import Table

MAX_GOLDEN_ROWS = 64
"""Rows that are kept; each worker computes them at each load."""
MAX_GOLDEN_CALL_MS = 250.0
"""Run time of a call from which on only one row and the main method are kept."""


def golden_rows(
    signature: Signature, own: OwnAnswers, call_ms: dict[str, float]
) -> GoldenRows | None:
    """The first rows of a sample that JSON can express, with the model's own answers.

    ``call_ms``: rows in a call → milliseconds of its first call.
    Returns None if JSON can express no row.
    """
    is_slow = max(call_ms.values(), default=0.0) > MAX_GOLDEN_CALL_MS
    found = dict(islice(_finite_rows(signature, own), 1 if is_slow else MAX_GOLDEN_ROWS))
    if not found:
        return None
    methods = [signature.main] if is_slow else list(own.answers)
    answers = {name: _as_json(own.answers[name], [*found]) for name in methods}
    return GoldenRows([*found.values()], answers)


def check_golden_rows(engine: Engine, manifest: Manifest, golden: GoldenRows) -> None:
    """Raise `ModelUnloadable` unless the engine gives the answers of a version's golden rows.

    Raises as `Engine.answer` if the version cannot be loaded.
    """
    for method, answers in golden.answers.items():
        try:
            found = _answers(engine, manifest, method, golden.rows)
        except ModelError as error:  # errors of loading pass unchanged, with their own codes
            raise ModelUnloadable(f"{method} of a golden row fails: {error.message}") from error
        for index, (own, answer) in enumerate(zip(answers, found, strict=True), 1):
            if not equal(own, answer):
                raise ModelUnloadable(
                    f"{method} of golden row {index} gives {answer} here and gave {own} when "
                    f"{manifest.reference} was registered"
                )


def golden_frame(manifest: Manifest, golden: GoldenRows | None) -> pd.DataFrame:
    """The golden rows as a frame of the model's columns; raises `Invalid` if there are none."""
    if golden is None:
        raise Invalid(f"{manifest.reference} was registered without --sample, so give --data")
    given = Table.of(manifest.signature, golden.rows).whole()
    if isinstance(given, pd.DataFrame):
        return given
    array = given[:, None] if given.ndim == 1 else given
    return pd.DataFrame(array, columns=[column.name for column in manifest.signature.columns])


def _as_json(output: Output, indices: list[int]) -> list[Any]:
    """The answers of some rows, by their positions from 0, as a caller reads them from JSON."""
    chosen = [each[indices] for each in output] if isinstance(output, list) else output[indices]
    return _through_json(to_wire(chosen))


def _answers(engine: Engine, manifest: Manifest, method: str, rows: list[list[Any]]) -> list[Any]:
    table = Table.of(manifest.signature, rows)
    answer = answer_table(table, lambda given: engine.answer(manifest, method, given))
    return _through_json(to_wire(answer.output))


def _through_json(values: list[Any]) -> list[Any]:
    decoded: list[Any] = msgspec.json.decode(msgspec.json.encode(values))
    return decoded


def _finite_rows(signature: Signature, own: OwnAnswers) -> Iterator[tuple[int, list[Any]]]:
    """Position → wire row; rows with an infinity are left out, since JSON makes null of it."""
    for start in range(0, len(own.frame), MAX_GOLDEN_ROWS):
        rows = wire_rows(own.frame.iloc[start : start + MAX_GOLDEN_ROWS], signature.columns)
        for index, row in enumerate(rows, start):
            if not any(isinstance(value, float) and math.isinf(value) for value in row):
                yield index, row
