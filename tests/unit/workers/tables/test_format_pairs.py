"""For every pair of formats, the output equals that of a plain script, row by row."""

import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.jobs.files.naming import FORMATS
from tests.unit.workers.tables.scoring import NAMES, answers, scored

READERS: dict[str, Any] = {
    "csv": lambda path: pd.read_csv(path, dtype={"custom_id": str}),
    "ndjson": lambda path: pd.DataFrame(map(msgspec.json.decode, path.read_bytes().splitlines())),
    "parquet": pd.read_parquet,
}
WRITERS: dict[str, Any] = {
    "csv": lambda frame, path: frame.to_csv(path, index=False),
    "ndjson": lambda frame, path: path.write_bytes(
        msgspec.json.Encoder().encode_lines(frame.to_dict("records"))
    ),
    "parquet": lambda frame, path: frame.to_parquet(path, row_group_size=7),
}
numbers = st.one_of(st.floats(-1e9, 1e9), st.integers(-1000, 1000).map(float), st.just(math.nan))


@pytest.mark.parametrize(("source", "target"), [*itertools.product(FORMATS, FORMATS)])
@settings(max_examples=15, print_blob=True, deadline=None)
@given(
    rows=st.lists(st.tuples(numbers, numbers), min_size=1, max_size=150),
    carry=st.booleans(),
    ids=st.booleans(),
    methods=st.sampled_from([("predict",), ("decision_function",), ("predict", "predict_proba")]),
)
def test_output_is_what_a_plain_script_gives(
    new_directory: Callable[[], Path],
    source: str,
    target: str,
    rows: list[tuple[float, float]],
    carry: bool,
    ids: bool,
    methods: tuple[str, ...],
) -> None:
    directory = new_directory()
    frame = pd.DataFrame(rows, columns=["a", "b"])
    frame["note"] = [f'n "{index}",\n' for index in range(len(rows))]
    if ids:
        frame["custom_id"] = [f"r{index}" for index in range(len(rows))]
    WRITERS[source](frame, directory / f"in.{source}")
    made = READERS[target](
        scored(
            directory / f"in.{source}",
            source,
            directory / f"out.{target}",
            target,
            methods=methods,
            pass_through=carry,
        )
    )
    good = frame[["a", "b"]].notna().all(axis=1)
    expected = answers(frame[["a", "b"]][good].to_numpy())
    assert len(made) == len(frame)
    for method in methods:
        assert made[NAMES[method]][~good].isna().all(axis=None)
        given = [made[name][good].tolist() for name in NAMES[method]]
        assert given == np.atleast_2d(expected[method].T).tolist()
    if ids:
        assert made["custom_id"].tolist() == frame["custom_id"].tolist()
    if carry:
        assert made["note"].tolist() == frame["note"].tolist()
        carried = made[["a", "b"]].astype(float).to_numpy()
        assert np.array_equal(carried, frame[["a", "b"]].to_numpy(), equal_nan=True)
    errors = [*map(msgspec.json.decode, (directory / "errors.ndjson").read_bytes().splitlines())]
    told = frame["custom_id"][~good].tolist() if ids else [None] * (~good).sum()
    assert [error["custom_id"] for error in errors] == told
