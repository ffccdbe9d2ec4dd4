"""Passes the fresh rows of a case through every door, as a caller with a frame would."""

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from benchmarks.equality.cases import Case
from predictq.errors import InvalidRequest
from predictq.rows.rows import features
from registry.manifest import Signature
from registry.rows import validation
from tasks.wire import decode, encode
from telemetry.errors import InvalidFeatures, PredictqError
from workers.gate.doors import DoorResult, json_rows, read_source
from workers.jobs.tables.matching import Selection
from workers.jobs.tables.sources import open_source
from workers.models.tabular.table import Table

Row = list[Any]
NONE = -1
"""Stands for a row that is not one of the fresh rows."""


def frames(case: Case, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with columns reordered and added, if the columns have names."""
    if case.plan.given == "bare array":
        # With one column, the header 0 would look like a row.
        names = range(len(rows.columns)) if len(rows.columns) > 1 else ["value"]
        return rows.set_axis(names, axis=1)
    beside = case.extra.iloc[[0] * len(rows)].set_axis(rows.index)
    return pd.concat([rows[[*case.order]], beside], axis=1)


def by_client(case: Case, signature: Signature, rows: pd.DataFrame) -> DoorResult:
    """Pass rows as the Python client sends a frame, series or array."""
    return _together(signature, *_accepted(signature, _body(case, signature, rows)))


def by_objects(_: Case, signature: Signature, rows: pd.DataFrame) -> DoorResult:
    """Pass rows as the gate writes them into requests."""
    return _together(signature, *_accepted(signature, encode(json_rows(signature, rows))))


def by_csv(case: Case, signature: Signature, rows: pd.DataFrame) -> DoorResult:
    """Pass rows in a CSV file of a job, as pandas writes it."""
    return _read("csv", signature, lambda path: frames(case, rows).to_csv(path, index=False))


def by_parquet(case: Case, signature: Signature, rows: pd.DataFrame) -> DoorResult:
    """Pass rows in a Parquet file of a job, as pandas writes it."""
    frame = frames(case, rows).rename(columns=str)
    return _read("parquet", signature, lambda path: frame.to_parquet(path, index=False))


def by_ndjson(case: Case, signature: Signature, rows: pd.DataFrame) -> DoorResult:
    """Pass rows in an NDJSON file of a job, as the Python client writes it."""
    given: Any = frames(case, rows) if signature.named else rows.astype(object).to_numpy()
    lines = [json.dumps(line) + "\n" for line in features(given)]
    return _read("ndjson", signature, lambda path: Path(path).write_text("".join(lines)))


def beside(case: Case, signature: Signature, rows: pd.DataFrame) -> DoorResult:
    """Pass rows together with rows of the sample, like requests in one microbatch."""
    sample = case.sample.set_axis([*rows.columns], axis=1)
    others, _ = _accepted(signature, _body(case, signature, sample))
    mine, refused = _accepted(signature, _body(case, signature, rows))
    if not mine:
        return DoorResult([], refused)
    found, middle = [*others.values()], len(others) // 2
    mixed = Table.of(signature, [*found[:middle], *mine.values(), *found[middle:]])
    behind = [NONE] * (len(found) - middle)
    return DoorResult([(mixed, [*[NONE] * middle, *mine, *behind])], refused)


Door = Callable[[Case, Signature, pd.DataFrame], DoorResult]
DOORS: dict[str, Door] = {
    "client": by_client,
    "beside others": beside,
    "json": by_objects,
    "csv": by_csv,
    "ndjson": by_ndjson,
    "parquet": by_parquet,
}


def through(door: str, case: Case, signature: Signature, rows: pd.DataFrame) -> DoorResult:
    """Pass rows through a door; an error for the whole counts as a refusal of each row."""
    try:
        return DOORS[door](case, signature, rows)
    except (PredictqError, InvalidRequest) as error:
        reason = str(error)
    except Exception as error:  # noqa: BLE001 - unexpected errors are what we look for
        reason = f"{type(error).__name__}: {error}"
    return DoorResult([], dict.fromkeys(range(len(rows)), reason))


def _body(case: Case, signature: Signature, rows: pd.DataFrame) -> bytes:
    given: Any = frames(case, rows) if signature.named else rows.astype(object).to_numpy()
    if case.plan.given == "series":
        given = rows.iloc[:, 0]
    return json.dumps(features(given)).encode()


def _accepted(signature: Signature, body: bytes) -> tuple[dict[int, Row], dict[int, str]]:
    """The rows of a request that are computed, and why the others are not."""
    rows, refused = dict[int, Row](), dict[int, str]()
    for index, row in enumerate(decode(body)):
        try:
            rows[index] = validation.rows(signature, [row])[0]
        except InvalidFeatures as error:
            refused[index] = error.message
    return rows, refused


def _together(signature: Signature, rows: dict[int, Row], refused: dict[int, str]) -> DoorResult:
    return DoorResult([(Table.of(signature, [*rows.values()]), [*rows])] if rows else [], refused)


def _read(format: Any, signature: Signature, write: Callable[[Path], Any]) -> DoorResult:
    with TemporaryDirectory() as directory:
        path = Path(directory) / f"rows.{format}"
        write(path)
        source = open_source(str(path), format, Selection(signature))
        try:
            return read_source(source)
        finally:
            source.close()
