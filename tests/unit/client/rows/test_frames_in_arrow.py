"""Data frames as Arrow streams: which are sent so, and what an answer becomes."""

import sys
from datetime import date, time
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from predictq.errors import InvalidRequest, PredictqError
from predictq.rows.arrow import MIN_ROWS, from_stream, to_stream
from tests.unit.fake_server import Answer, outcome, pending, problem, succeeded

N = MIN_ROWS
ARROW = "application/vnd.apache.arrow.stream"
FRAME = pd.DataFrame({"n": np.arange(N) / 7, "t": ["a", None] * (N // 2)}, index=range(5, 5 + N))
META = {"predictq": '{"id": "p1"}'}


def read(content):
    return pa.ipc.open_stream(content).read_all()


def answer_of(table):
    sink = pa.BufferOutputStream()
    table = table.replace_schema_metadata(META)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


ANSWER = answer_of(pa.table({"prediction": np.arange(N)}))
FRAMES = [
    pytest.param(FRAME, id="pandas"),
    pytest.param(pl.from_pandas(FRAME), id="polars"),
    pytest.param(pa.Table.from_pandas(FRAME, preserve_index=False), id="arrow"),
    pytest.param(pa.RecordBatch.from_pandas(FRAME, preserve_index=False), id="batch"),
]


@pytest.mark.parametrize("frame", FRAMES)
def test_frame_of_each_library_becomes_a_stream(frame):
    table = read(to_stream(frame))
    assert table.to_pydict() == {"n": FRAME["n"].tolist(), "t": ["a", None] * (N // 2)}
    assert table.schema.metadata is None


@pytest.mark.parametrize(
    "values",
    [
        [True, None],
        [date(2026, 1, 2), None],
        [Decimal("1.5"), Decimal(2)],
        pd.Categorical(["u", "v"]),
        pd.to_datetime(["2026-01-02", None]),
        pd.to_timedelta([1, 2]),
        pd.array([1, None], dtype="Int64"),
    ],
)
def test_column_of_a_plain_type_is_sent_in_arrow(values):
    assert to_stream(pd.DataFrame({"a": pd.Series(values).repeat(N)})) is not None


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param([[1.0]] * N, id="lists"),
        pytest.param(FRAME[: N - 1], id="few rows"),
        pytest.param(FRAME.set_axis([0, 1], axis=1), id="by position"),
        pytest.param(FRAME.set_axis(["a", "a"], axis=1), id="one name twice"),
        pytest.param(pd.DataFrame({"a": [1, "x"] * N}), id="mixed"),
        pytest.param(pd.DataFrame({"a": [[1]] * N}), id="lists in a column"),
        pytest.param(pd.DataFrame({"a": [time(1)] * N}), id="times of day"),
        pytest.param(pd.DataFrame({"a": [b"x"] * N}), id="bytes"),
        pytest.param(pd.DataFrame({"a": pd.period_range("2026", periods=N)}), id="periods"),
    ],
)
def test_other_rows_are_left_to_json(frame):
    assert to_stream(frame) is None


def test_without_pyarrow_frames_are_left_to_json(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert to_stream(FRAME) is None


def test_pieces_are_sent_as_one_batch():
    pieces = pa.concat_tables(
        [pa.table({"c": pa.array([t] * N).dictionary_encode()}) for t in "uv"]
    )
    batches = [*pa.ipc.open_stream(to_stream(pieces))]
    assert [batch.num_rows for batch in batches] == [2 * N]


@pytest.mark.parametrize("frame", FRAMES)
def test_answer_is_a_frame_of_the_same_library(frame):
    answer = from_stream(ANSWER, frame)
    assert type(answer) is type(frame)
    values = answer["prediction"]
    assert (values.to_pylist() if hasattr(values, "to_pylist") else [*values]) == [*range(N)]


def test_answer_for_pandas_has_the_index_and_the_receipt():
    answer = from_stream(ANSWER, FRAME)
    assert answer.index.equals(FRAME.index)
    assert answer.attrs == {"predictq": {"id": "p1"}}


def test_predict_sends_a_frame_in_arrow(server, client):
    server.script(succeeded([1] * N))
    client.predict("iris", FRAME, method="predict", timeout_seconds=2)
    (asked,) = server.asked
    assert asked.path == "/predict?model=iris&method=predict&timeout_seconds=2"
    assert asked.headers["Content-Type"] == ARROW
    assert asked.headers["Prefer"] == "wait=30"
    assert asked.headers["Idempotency-Key"]


def test_older_server_is_asked_in_json(server, client):
    server.script(problem(415, "unsupported_media_type"), succeeded([1] * N))
    assert client.predict("iris", FRAME).predictions == [1] * N
    assert [asked.headers["Content-Type"] for asked in server.asked] == [ARROW, "application/json"]


def test_wrong_value_is_an_invalid_request_as_in_json(server, client):
    error = {"code": "invalid_features", "message": "row 2", "retryable": False}
    server.script(outcome("failed", error=error))
    with pytest.raises(InvalidRequest, match="row 2"):
        client.predict("iris", FRAME)


def test_predict_frame_gives_a_frame(server, client):
    server.script(Answer(200, ANSWER, content_type=ARROW))
    answer = client.predict_frame("iris", FRAME)
    assert answer["prediction"].tolist() == [*range(N)]
    assert server.asked[0].headers["Accept"] == ARROW


def test_predict_frame_waits_for_its_outcome(server, client):
    server.script(pending(), succeeded([1] * N), Answer(200, ANSWER, content_type=ARROW))
    answer = client.predict_frame("iris", FRAME)
    assert answer["prediction"].tolist() == [*range(N)]
    assert server.asked[2].headers["Accept"] == ARROW


def test_predict_frame_takes_frames_alone(client, monkeypatch):
    with pytest.raises(InvalidRequest, match="expected a data frame of pandas"):
        client.predict_frame("iris", [[1.0]])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(PredictqError, match="needs pyarrow"):
        client.predict_frame("iris", FRAME)
