"""What pages show of predictions, batch jobs, queues and forms."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.console import formatting
from api.console.live.load_series import LoadSeries
from api.console.notices import notice_text
from api.console.pages.batches import MAX_CELLS, first_errors, grid
from api.console.pages.predictions import MAX_ANSWER_CHARS, as_curl, life, shown_answer
from api.console.pages.queues import queue_rows, spark_line
from api.console.pages.trying import MAX_FORM_FIELDS, curl_of, features_of, fields_of
from registry.manifest import Column, Manifest, Signature
from tasks.jobs.ledger import Part
from tasks.record import Receipt, Record
from telemetry.errors import Malformed
from tests.unit.api.console.pictures import picture, queue


def record(state: Any = "queued", **fields: Any) -> Record:
    return Record(
        status="PENDING",
        state=state,
        task_id="t1",
        model="iris",
        version=1,
        alias=None,
        method="predict",
        created_at=1000.0,
        **fields,
    )


RECEIPT = Receipt(
    model="iris",
    version=1,
    sha256="0" * 64,
    alias=None,
    attempt=1,
    queue_ms=20.0,
    compute_ms=5.0,
    batch_size=3,
    runtime="scikit-learn 1.9.1",
)


def test_life_of_a_prediction_with_a_receipt() -> None:
    done = record("succeeded", receipt=RECEIPT, date_done="1970-01-01T00:16:40.030+00:00")
    steps = [(step.name, step.milliseconds) for step in life(done)]
    assert steps == [
        ("accepted", None),
        ("waiting", 20.0),
        ("computing", 5.0),
        ("settling", pytest.approx(5.0)),
        ("succeeded", None),
    ]


def test_life_of_a_prediction_without_an_outcome() -> None:
    assert [step.state for step in life(record("queued"))] == ["done", "now", "next", "next"]
    assert [step.state for step in life(record("running"))] == ["done", "done", "now", "next"]
    expired = record("expired", date_done="1970-01-01T00:16:42+00:00")
    assert life(expired)[-1].milliseconds == 2000.0


def test_shown_answer_is_cut() -> None:
    long = record("succeeded", result=["x" * 99_999])
    assert len(shown_answer(long)) == MAX_ANSWER_CHARS + 2
    assert shown_answer(record("failed", result={"exc_type": "E"})) == ""


def test_curl_of_a_foreign_id_is_quoted() -> None:
    assert as_curl("http://h/", "a'b; rm") == "curl -s 'http://h/predict/result/a'\"'\"'b; rm'"


def test_grid_of_chunks() -> None:
    parts = {
        0: Part(name="a", succeeded=10, failed=0),
        1: Part(name="b", succeeded=9, failed=1),
    }
    kinds = [cell.kind for cell in grid(4, parts, {2})]
    assert kinds == ["done", "flawed", "running", "waiting"]
    assert grid(0, {}, set()) == []


def test_grid_of_a_long_job_has_a_bounded_number_of_cells() -> None:
    cells = grid(100_000, {}, set())
    assert len(cells) <= MAX_CELLS
    assert cells[-1].text.endswith("to 99999: 0 of 134 done")


def test_first_errors_pass_over_what_is_being_written(tmp_path: Path) -> None:
    path = tmp_path / "errors.ndjson"
    path.write_text('{"line":2,"code":"invalid_row","message":"<b>"}\n{"line":3,"co')
    assert [error.line for error in first_errors([path, tmp_path / "gone"])] == [2]


def test_queue_rows_have_an_eta_only_while_it_is_known() -> None:
    busy = picture(queues={"predict": queue(depth=90, reserved=10, rate=50.0, oldest=2.0)})
    (row,) = queue_rows(busy, LoadSeries())
    assert (row.eta, row.oldest) == (2.0, 2.0)
    (row,) = queue_rows(picture(queues={"predict": queue(rate=50.0)}), LoadSeries())
    assert row.eta is None


def test_spark_line_needs_two_points() -> None:
    assert spark_line([1.0]) == ""
    assert spark_line([0.0, 2.0]) == "0.0,22.0 120.0,2.0"


def manifest(*columns: Column) -> Manifest:
    signature = Signature(columns=columns, named=True, frame=False, methods=("predict",))
    return Manifest(
        sha256="0",
        format="skops",
        trusted=False,
        size=1,
        estimator="E",
        parameters={},
        libraries={},
        signature=signature,
        example=None,
        metadata={},
        name="churn",
        version=1,
        created_at="now",
    )


COLUMNS = (
    Column(name="age", nullable=True),
    Column(name="plan", type="category", categories=("basic", "pro")),
    Column(name="name", type="string"),
    Column(name="active", type="boolean"),
)


def test_form_has_a_field_for_each_column() -> None:
    fields = fields_of(manifest(*COLUMNS), {"x0": "7"})
    assert [field.label for field in fields] == ["age", "plan", "name", "active"]
    assert fields[0].value == "7"
    assert fields[1].choices == ["basic", "pro"]
    assert fields[3].choices == ["true", "false"]
    assert "empty for a missing value" in fields[0].hint
    assert fields_of(manifest(*COLUMNS * MAX_FORM_FIELDS), {}) == []


def test_form_sends_values_in_the_types_of_the_columns() -> None:
    typed = {"x0": "41.5", "x1": "pro", "x2": "12", "x3": "true"}
    assert features_of(manifest(*COLUMNS), typed) == [[41.5, "pro", "12", True]]
    assert features_of(manifest(*COLUMNS), {"x0": "wide"}) == [["wide", None, None, None]]
    assert features_of(manifest(*COLUMNS), {"json": "[[1]]", "x0": "2"}) == [[1]]
    with pytest.raises(Malformed):
        features_of(manifest(*COLUMNS), {"json": "[[1"})


def test_curl_of_a_form_is_quoted() -> None:
    body = msgspec.json.encode({"features": ["it's"]})
    assert curl_of("http://h/", body).endswith("""-d '{"features":["it'"'"'s"]}'""")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0042, "4.2 ms"), (0.0, "0 s"), (2.5, "2.5 s"), (90, "1.5 min"), (7200, "2.0 h")],
)
def test_duration_in_the_unit_that_suits(seconds: float, text: str) -> None:
    assert formatting.duration(seconds) == text


def test_formatting_of_numbers() -> None:
    assert formatting.thousands(12431) == "12,431"
    assert formatting.per_second(99.55) == "99.5"
    assert formatting.bytes_size(1_234_567) == "1.23 MB"
    assert formatting.duration(None) == formatting.NOTHING
    assert formatting.written_time("2026-11-30T13:04:05.678+01:00") == "2026-11-30 12:04:05"


def test_notices_are_known_texts_alone() -> None:
    assert notice_text("replayed.3.1") == "3 replayed, 1 refused."
    assert notice_text("replayed") == ""
    assert notice_text("You have won") == ""
