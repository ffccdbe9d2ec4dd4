"""Rows as an Arrow stream, and predictions as one, over HTTP."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.datasets import load_breast_cancer

from tests.support.stack import LiveStack, until

ARROW = "application/vnd.apache.arrow.stream"
NAMES = [f"sepal {n} (cm)" for n in ("length", "width")] + [
    f"petal {n} (cm)" for n in ("length", "width")
]
ROWS = [[5.8, 2.8, 5.1, 2.4], [5.1, 3.5, 1.4, 0.2]]
IRIS = pa.table(dict(zip(NAMES, zip(*ROWS, strict=True), strict=True)))


def stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def post(stack: LiveStack, path: str, body: bytes, **headers: str) -> Any:
    return stack.http.post(path, content=body, headers={"Content-Type": ARROW, **headers})


def answered(answer: Any) -> tuple[pa.Table, dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == ARROW
    table = pa.ipc.open_stream(answer.content).read_all()
    table.validate(full=True)
    return table, json.loads(table.schema.metadata[b"predictq"])


def test_rows_in_arrow_are_predicted_as_in_json(stack: LiveStack) -> None:
    frame = load_breast_cancer(as_frame=True).data
    body = stream(pa.Table.from_pandas(frame, preserve_index=False))
    asked = "/predict?model=breast-cancer&method=predict_proba"
    in_arrow = post(stack, asked, body).json()
    in_json = stack.predict("breast-cancer", frame.to_numpy().tolist(), "predict_proba")
    assert in_arrow["predictions"] == in_json
    assert in_arrow["receipt"]["batch_size"] == len(frame)


def test_predictions_in_arrow_have_a_column_for_each_class(stack: LiveStack) -> None:
    asked = "/predict?model=iris@production&method=predict_proba"
    table, beside = answered(post(stack, asked, stream(IRIS), Accept=ARROW))
    assert table.column_names == ["probability_0", "probability_1", "probability_2"]
    in_json = stack.predict("iris", ROWS, "predict_proba")
    assert np.array_equal(table.to_pandas().to_numpy(), np.array(in_json))
    assert (beside["status"], beside["receipt"]["alias"]) == ("succeeded", "production")
    assert "predictions" not in beside
    looked_up, again = answered(stack.http.get(beside["urls"]["result"], headers={"Accept": ARROW}))
    assert (looked_up, again) == (table, beside)


def test_labels_in_arrow_have_their_type(stack: LiveStack) -> None:
    body = {"model": "iris", "features": ROWS}
    answer = stack.http.post("/predict", json=body, headers={"Accept": ARROW})
    table, _ = answered(answer)
    assert table.schema.field("prediction").type == pa.int64()
    assert table["prediction"].to_pylist() == [2, 0]


def test_submission_in_arrow_is_accepted_and_looked_up(stack: LiveStack) -> None:
    answer = post(stack, "/predict/async?model=iris", stream(IRIS), **{"Idempotency-Key": "arrow"})
    assert answer.status_code == 202
    again = post(stack, "/predict/async?model=iris", stream(IRIS), **{"Idempotency-Key": "arrow"})
    assert again.json()["id"] == answer.json()["id"]
    other = post(
        stack, "/predict/async?model=iris", stream(IRIS[:1]), **{"Idempotency-Key": "arrow"}
    )
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_conflict")
    assert stack.outcome(answer.json()["id"])["predictions"] == [2, 0]


def test_pending_prediction_is_json_whatever_is_accepted(stack: LiveStack) -> None:
    with stack.frozen_pool():
        wanted = {"Accept": ARROW, "Prefer": "wait=0"}
        answer = post(stack, "/predict?model=iris", stream(IRIS), **wanted)
        assert (answer.status_code, answer.json()["status"]) == (202, "queued")
        url = answer.json()["urls"]["result"]
        assert stack.http.get(url, headers=wanted).status_code == 202
    waiting = {"Accept": ARROW, "Prefer": "wait=10"}
    answered(until(lambda: stack.http.get(url, headers=waiting), "the outcome"))


def test_model_in_the_path_takes_arrow(stack: LiveStack) -> None:
    for path in ("/models/iris/predict", "/models/iris/versions/1/predict"):
        assert post(stack, path, stream(IRIS)).json()["predictions"] == [2, 0]
    refused = post(stack, "/models/iris/predict?model=diabetes", stream(IRIS))
    assert (refused.status_code, refused.json()["errors"][0]["loc"]) == (422, ["model"])


def test_columns_are_found_by_name_and_others_passed_over(stack: LiveStack) -> None:
    table = IRIS.select(NAMES[::-1]).append_column("more", pa.array(["x", "y"]))
    answer = post(stack, "/predict?model=iris", stream(table))
    assert answer.json()["predictions"] == [2, 0]


@pytest.mark.parametrize(
    ("query", "table", "status", "code", "told"),
    [
        ("model=iris", IRIS.drop_columns(NAMES[:1]), 422, "invalid_features", "is missing"),
        ("model=iris", IRIS.slice(0, 0), 422, "invalid_features", "at least one row"),
        ("", IRIS, 422, "invalid", "the query must have a model"),
        ("model=iris&x=1", IRIS, 422, "invalid", "unknown field `x`"),
        ("model=nobody", IRIS, 404, "model_not_found", "nobody"),
        ("model=iris", pa.table({"a": [[1]]}), 422, "invalid", "lists or structs"),
        ("model=iris", pa.table({"a": range(10_001)}), 413, "too_large", "10000 rows"),
    ],
)
def test_wrong_request_is_refused_before_it_is_queued(
    stack: LiveStack, query: str, table: pa.Table, status: int, code: str, told: str
) -> None:
    for path in ("/predict/async", "/predict"):
        refused = post(stack, f"{path}?{query}", stream(table))
        assert (refused.status_code, refused.json()["code"]) == (status, code)
        assert told in refused.json()["detail"]


@pytest.mark.parametrize("body", [b"", b"{}", stream(IRIS)[:-200]])
def test_body_that_is_no_arrow_stream_is_malformed(stack: LiveStack, body: bytes) -> None:
    refused = post(stack, "/predict?model=iris", body)
    assert (refused.status_code, refused.json()["code"]) == (400, "malformed")


def test_wrong_value_fails_the_prediction_and_says_where(stack: LiveStack) -> None:
    frame = pd.DataFrame(ROWS, columns=NAMES)
    wrong = pa.Table.from_pandas(frame.astype({NAMES[1]: str}), preserve_index=False)
    refused = post(stack, "/predict?model=iris", stream(wrong))
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_features")
    assert f"column {NAMES[1]!r}: expected a number" in refused.json()["detail"]
    frame.loc[1, NAMES[2]] = np.inf
    refused = post(stack, "/predict?model=iris", stream(pa.Table.from_pandas(frame)))
    told = f"row 2, column {NAMES[2]!r}: infinity is not allowed here"
    assert (refused.status_code, refused.json()["detail"]) == (422, told)
