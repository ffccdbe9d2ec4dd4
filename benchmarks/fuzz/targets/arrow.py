"""Targets: rows as Arrow streams, where the API reads their heads and a worker decodes them."""

from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from api.predictions.arrow_submission import arrow_submission
from api.predictions.submission import prepare_prediction
from benchmarks.fuzz.target import Parse, Target, plain
from benchmarks.fuzz.targets import world
from tasks.callers.caller import LOCAL_CALLER
from tasks.messages import envelope
from tasks.prediction import predict
from workers.models.tabular.arrow_rows import table_of_arrow

_DAY = date(2026, 11, 30)
_MIXED = pa.table(
    {
        "age": [41, None, 7],
        "city": pa.array(["Bonn", "Köln", None]).dictionary_encode(),
        "vip": [True, False, True],
        "since": pa.array([_DAY, None, _DAY]),
        "note": ["x", "y" * 20, None],
    }
)
_OTHERS = {
    "age": pa.array([1.5, 2.5]).cast(pa.float32()),
    "city": pa.array(["Bonn", "Bonn"], pa.large_string()),
    "vip": [False, True],
    "since": pa.array([0, 2**60], pa.timestamp("ns", "Europe/Berlin")),
    "note": pa.array([1, 2], pa.decimal128(5, 2)),
}


def _written(*tables: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, tables[0].schema) as writer:
        for table in tables:
            writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


STREAMS = (_written(_MIXED), _written(_MIXED, _MIXED[1:]), _written(pa.table(_OTHERS)))


def _submitted(home: Path) -> Parse:
    registry, settings = world.registry(home), world.settings(home)

    def accept(content: bytes) -> Any:
        submission = arrow_submission(content, b"model=mixed", settings.max_rows, None)
        prediction = prepare_prediction(submission, registry, settings, LOCAL_CALLER)
        return envelope(predict.name, "0199", "predict", prediction)

    return accept


TARGETS = (
    Target("rows in Arrow, in the API", STREAMS, _submitted),
    plain("rows in Arrow, in a worker", STREAMS, partial(table_of_arrow, world.MIXED)),
)
