"""Texts that mean a missing value in CSV, and are values where the sample had them."""

import numpy as np
import pandas as pd

from registry.manifest import Column, Signature
from tests.unit.workers.tables.sources import blocks, written
from workers.gate.doors import through_door


def signature(*columns: Column) -> Signature:
    return Signature(columns, named=True, frame=True, methods=("predict",))


def test_blank_is_a_category_where_it_is_one(tmp_path):
    column = Column("c", "category", nullable=True, dtype="category", categories=(" ", "x"))
    path = written(tmp_path, "c,d\n ,1\nx,1\n,1\n")

    (block,) = blocks(path, "csv", signature(column, Column("d")), 10)

    assert block.features.whole()["c"].tolist() == [" ", "x", np.nan]


def test_sample_with_blank_text_has_another_missing_text_there_alone():
    text = Column("s", "string", nullable=True, dtype="str", words=("",))
    time = Column("t", "datetime", nullable=True, dtype="datetime64[us]", null="nat")
    frame = pd.DataFrame(
        {"s": ["", "x", None], "t": pd.to_datetime(["2024-01-01", None, None])}
    ).astype({"t": "datetime64[us]"})

    passed = through_door("csv", signature(text, time), frame)

    ((table, _),) = passed.tables
    assert not passed.refused
    assert table.whole().equals(frame.astype({"s": "str"}))
