"""One request of 10,000 rows: as JSON, and as an Arrow stream."""

import time
from functools import partial
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from benchmarks.harness import models
from benchmarks.harness.bench import Bench
from benchmarks.harness.models import FEATURES, Model
from benchmarks.harness.results import Cell, Check, Part, Spread, Table
from benchmarks.harness.wire import LoadFailed, Response, Wire, post
from tasks.arrow.stream import ARROW

ROWS = 10_000
LOOKS = 7
"""Requests of a round for each form; the first is not counted."""
NOTE = f"""One caller asks for {ROWS:,} rows of {FEATURES} columns at a time, by `POST /predict`, \
in each form in turn, and reads the answer in JSON; numbers have full \
precision, and every answer is compared with the model's own. \
Outside: of the time until the answer, what is not in the model's own method. Medians of the \
rounds, and their range."""


class Taken(msgspec.Struct, frozen=True):
    """Milliseconds of one request."""

    whole: float
    model: float

    @property
    def outside(self) -> float:
        """What the model does not take."""
        return self.whole - self.model


class Answer(msgspec.Struct, frozen=True):
    """The fields of an outcome that are needed."""

    predictions: list[Any]
    receipt: dict[str, Any]


def run(bench: Bench) -> Part:
    """Measure two models in one stack."""
    held = [models.logistic(bench.directory), models.forest(bench.directory)]
    rows, checks = list[list[Cell]](), list[Check]()
    candidate = bench.predictq(*held)
    with candidate.running():
        wire = Wire(candidate.port, 1)
        for model in held:
            rounds = [_round(wire, model, bench.scaled(LOOKS)) for _ in range(bench.rounds)]
            rows += [_row(model, form, rounds) for form in ("JSON", "Arrow")]
            checks.append(_check(model, rounds))
        wire.close()
    columns = ["model", "rows as", "requests/s", "rows/s", "outside, ms", "in the model"]
    return Part("arrow", [Table("Rows as JSON and as Arrow", columns, rows, NOTE)], checks)


def _round(wire: Wire, model: Model, looks: int) -> dict[str, Taken]:
    asked = np.random.default_rng(0).normal(size=(ROWS, FEATURES))
    told = model.estimator.predict(asked).tolist()
    forms = {"JSON": _in_json(model, asked), "Arrow": _in_arrow(model, asked)}
    found: dict[str, list[Taken]] = {form: [] for form in forms}
    for _ in range(max(looks, 2)):
        for form, request in forms.items():
            found[form].append(_taken(wire, request, told))
    return {form: sorted(each[1:], key=_whole)[len(each) // 2 - 1] for form, each in found.items()}


def _whole(taken: Taken) -> float:
    return taken.whole


def _in_json(model: Model, asked: Any) -> bytes:
    body = msgspec.json.encode({"model": model.name, "features": asked.tolist()})
    return post("/predict", body, "Prefer: wait=30")


def _in_arrow(model: Model, asked: Any) -> bytes:
    table = pa.table({f"x{n}": np.ascontiguousarray(asked[:, n]) for n in range(FEATURES)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    body = sink.getvalue().to_pybytes()
    return post(f"/predict?model={model.name}", body, "Prefer: wait=30", kind=ARROW)


def _taken(wire: Wire, request: bytes, told: list[Any]) -> Taken:
    heard: list[Response] = []
    started = time.perf_counter()
    wire.send(request, partial(list.append, heard))
    while not heard:
        wire.turn()
    whole = (time.perf_counter() - started) * 1000
    if heard[0].status != 200:
        raise LoadFailed(f"not answered: {heard[0].status} {heard[0].body[:300]!r}")
    answer = msgspec.json.decode(heard[0].body, type=Answer)
    if answer.predictions != told:
        raise LoadFailed("predictions differ from the model's own")
    return Taken(whole, answer.receipt["compute_ms"])


def _row(model: Model, form: str, rounds: list[dict[str, Taken]]) -> list[Cell]:
    taken = [each[form] for each in rounds]
    share = Spread.of(each.model / each.whole for each in taken).median
    return [
        model.name,
        form,
        str(Spread.of(1000 / each.whole for each in taken)),
        str(Spread.of(1000 * ROWS / each.whole for each in taken)),
        str(Spread.of(each.outside for each in taken)),
        f"{share:.0%}",
    ]


def _check(model: Model, rounds: list[dict[str, Taken]]) -> Check:
    ratio = Spread.of(each["JSON"].outside / each["Arrow"].outside for each in rounds).median
    return Check(f"{model.name}: outside the model, JSON over Arrow", ratio, "at least", 2.5)
