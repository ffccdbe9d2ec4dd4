"""What counting rows for drift costs a pool process, a row."""

import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from registry.baseline import Baseline
from registry.manifest import Column, Description, Signature
from registry.store import Registry
from workers.drift.counter import COUNTED_ROWS, DriftCounter
from workers.drift.describing import baseline_of
from workers.models.signature.own_answers import OwnAnswers
from workers.models.tabular.table import Table

COLUMNS, SAMPLE = 20, 1000


class _Nowhere:
    """Takes counts, and adds them up nowhere: a write is one round trip every few seconds."""

    def add(self, version: str, digest: str, counts: Mapping[int, int]) -> None:
        """Do nothing."""


def microseconds(kind: str, rows: int, times: int, *, all_rows: bool) -> float:
    """Microseconds a row, for microbatches of so many rows.

    ``all_rows``: writes as soon as no further row would be counted, so that each is.
    """
    with TemporaryDirectory() as home:
        registry, signature, frame = Registry(Path(home)), _signature(kind), _frame(kind)
        own = OwnAnswers(frame, signature.columns, True, False, {"predict": np.zeros(SAMPLE)})
        baseline = baseline_of(signature, own)
        manifest = _registered(registry, signature, baseline)
        counter = DriftCounter(registry, _Nowhere())  # type: ignore[arg-type]  # a stand-in
        given = [frame.iloc[i % 100][:].tolist() for i in range(rows)]
        table, answers = Table.of(signature, given), {"predict": np.zeros(rows)}
        started, noted = time.process_time(), 0
        for _ in range(times):
            counter.note(manifest, table, answers)
            noted += rows
            if all_rows and noted >= COUNTED_ROWS:
                counter.write()
                noted = 0
            else:
                counter.write_if_due()
        counter.write()
        return (time.process_time() - started) / (rows * times) * 1e6


def _frame(kind: str) -> pd.DataFrame:
    random = np.random.default_rng(0)
    towns = random.choice(["Bern", "Kyiv", "Oslo"], SAMPLE)
    columns: dict[str, Any] = {
        f"x{i}": towns if kind == "string" else random.normal(size=SAMPLE) for i in range(COLUMNS)
    }
    return pd.DataFrame(columns)


def _signature(kind: Any) -> Signature:
    columns = tuple(Column(f"x{i}", kind) for i in range(COLUMNS))
    return Signature(columns, named=True, frame=True, methods=("predict",))


def _registered(registry: Registry, signature: Signature, baseline: Baseline | None) -> Any:
    description = Description(
        sha256="2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
        format="skops",
        trusted=False,
        size=1,
        estimator="",
        parameters={},
        libraries={},
        signature=signature,
        example=None,
        metadata={},
    )
    return registry.add("m", description, b"x", baseline=baseline)
