"""A wrong job request gets a problem that names the fault, and leaves no files."""

import os
from typing import Any

import pytest

from tests.integration.jobs.job_harness import JobHarness
from tests.support.stack import Json, LiveStack
from tests.system.jobs.job_requests import BATCH, by_reference, problem, submit, upload

WRONG: list[tuple[Json, int, str, str]] = [
    ({"input_uri": None}, 422, "invalid", "input_uri"),
    ({"nonsense": 1}, 422, "invalid", "nonsense"),
    ({"model": None}, 422, "invalid", "model"),
    ({"model": 7}, 422, "invalid", "str"),
    ({"model": "nobody"}, 404, "model_not_found", "nobody"),
    ({"model": "touchy:9"}, 404, "version_not_found", "9"),
    ({"method": "predict_proba"}, 422, "unsupported_method", "predict_proba"),
    ({"methods": []}, 422, "invalid", "length"),
    ({"methods": ["predict", "predict"]}, 422, "invalid", "more than once"),
    ({"method": "predict", "methods": ["predict"]}, 422, "invalid", "either"),
    ({"input_uri": "/etc/passwd"}, 422, "place_forbidden", "/etc/passwd"),
    ({"input_uri": "s3://bucket/rows.csv"}, 422, "place_forbidden", "s3://"),
    ({"input_uri": "rows.csv"}, 422, "invalid", "absolute"),
    ({"input_uri": "file://rows.csv"}, 422, "invalid", "absolute"),
    ({"input_uri": "/tmp/\0"}, 422, "invalid", "regex"),
    ({"output_uri": "/etc/out.csv"}, 422, "place_forbidden", "/etc/out.csv"),
    ({"output_uri": "s3://bucket/out.csv"}, 422, "invalid", "output_uri must be a path"),
    ({"output_uri": "{directory}/in.parquet"}, 422, "invalid", "the same file as the input"),
    ({"output_uri": "file://{directory}/in%2Eparquet"}, 422, "invalid", "the same file"),
    ({"output_uri": "{directory}/.rows.csv"}, 422, "place_forbidden", ".rows.csv"),
    ({"output_uri": "{directory}/.bashrc", "output_format": "csv"}, 422, "invalid", "a data file"),
    ({"output_uri": "{directory}/run", "output_format": "csv"}, 422, "invalid", "a data file"),
    ({"output_uri": "{directory}/pipe.csv"}, 422, "place_forbidden", "regular"),
    ({"output_uri": "{directory}/there.csv"}, 409, "output_exists", "overwrite"),
    ({"id_column": "x" * 1001}, 422, "invalid", "length"),
    ({"output_uri": "{directory}/out.parquet.gz"}, 422, "invalid", "only CSV and NDJSON"),
    ({"output_uri": "{directory}/out.gz"}, 422, "invalid", "only CSV and NDJSON"),
    ({"input_uri": "{directory}/pipe.csv"}, 422, "place_forbidden", "regular"),
    ({"input_uri": "{home}/id.key"}, 422, "place_forbidden", "id.key"),
    ({"input_format": "xls"}, 422, "invalid", "xls"),
    ({"error_threshold": -1}, 422, "invalid", ">="),
]


@pytest.mark.parametrize("case", WRONG, ids=lambda case: str(case[0]))
def test_wrong_job_request_is_named_and_leaves_nothing(
    live: LiveStack, harness: JobHarness, case: tuple[Json, int, str, str]
) -> None:
    changes, status, code, says = case
    source, _ = harness.numbers(10)
    os.mkfifo(harness.directory / "pipe.csv")
    (harness.directory / "there.csv").touch()
    before = set((live.home / "jobs").glob("*/"))
    body = {"model": "touchy", "input_uri": str(source), **changes}
    body = {name: _placed(value, harness) for name, value in body.items() if value is not None}
    for path in (BATCH, f"{BATCH}/validate"):
        assert says in problem(live.http.post(path, json=body), status, code)["detail"]
    assert set((live.home / "jobs").glob("*/")) == before


def _placed(value: Any, harness: JobHarness) -> Any:
    if not isinstance(value, str):
        return value
    return value.format(directory=harness.directory, home=harness.stack.home)


def test_cross_site_requests_are_refused(live: LiveStack, harness: JobHarness) -> None:
    job = submit(live, harness.numbers(10)[0])
    form = {"data": {"model": "touchy"}, "files": {"file": ("a.csv", b"x0,x1\n1,2\n")}}
    headers = {"Sec-Fetch-Site": "cross-site"}
    for method, path in (
        *(("POST", BATCH), ("POST", f"{BATCH}/validate"), ("POST", job["urls"]["resume"])),
        *(("DELETE", job["urls"]["cancel"]), ("POST", "/dead-letters/replay")),
    ):
        given = form if path == BATCH else {}
        problem(live.http.request(method, path, headers=headers, **given), 403, "cross_site")
    row = {"model": "touchy", "features": [1.0, 2.0]}
    for path in ("/predict", "/predict/async"):
        problem(live.http.post(path, json=row, headers=headers), 403, "cross_site")
    assert live.http.get(job["urls"]["self"], headers=headers).status_code == 200
    for site in ("same-origin", "same-site", "none"):
        answer = live.http.post(BATCH, headers={"Sec-Fetch-Site": site}, **form)
        assert answer.status_code == 202


def test_paused_version_is_refused_and_leaves_nothing(live: LiveStack, harness: JobHarness) -> None:
    source, _ = harness.numbers(10)
    before = set((live.home / "jobs").glob("*/"))
    live.owner.post("/models/plodding/versions/1/pause", json={"reason": "a test"})
    try:
        refused = [
            live.http.post(BATCH, json=by_reference(source, "plodding")),
            live.http.post(f"{BATCH}/validate", json=by_reference(source, "plodding:1")),
            upload(live, "a.csv", b"x0,x1\n1,2\n", model="plodding"),
        ]
        submit(live, source)  # of another model
    finally:
        live.owner.post("/models/plodding/versions/1/resume")
    for answer in refused:
        told = problem(answer, 503, "version_paused")
        assert (told["detail"], told["retryable"]) == ("plodding:1 is paused: a test", True)
        assert answer.headers["retry-after"] == "1"
    assert len(set((live.home / "jobs").glob("*/")) - before) == 1
    submit(live, source, "plodding")


def test_invalid_forms_are_refused(live: LiveStack) -> None:
    before = set((live.home / "jobs").glob("*/"))
    wrong = problem(upload(live, "a.csv", b"x0,x1\n1,2\n", nonsense="1"), 422, "invalid")
    assert "nonsense" in wrong["detail"]
    wrong = problem(upload(live, "a.csv", b"", error_threshold="many"), 422, "invalid")
    assert wrong["errors"][0]["loc"] == ["error_threshold"]
    problem(upload(live, "a.csv", b"", input_uri="/etc/passwd"), 422, "invalid")
    problem(upload(live, "a.csv", b"", model="nobody"), 404, "model_not_found")
    problem(upload(live, "a.csv", b"", model=["touchy", "plodding"]), 422, "invalid")
    problem(live.http.post(BATCH, data={"model": "touchy"}), 415, "unsupported_media_type")
    other = {"files": {"rows": ("a.csv", b"")}, "data": {"model": "touchy"}}
    assert "rows" in problem(live.http.post(BATCH, **other), 422, "invalid")["detail"]
    two = [("file", ("a.csv", b"")), ("file", ("b.csv", b""))]
    problem(live.http.post(BATCH, files=two, data={"model": "touchy"}), 422, "invalid")
    headers = {"content-type": "multipart/form-data; boundary=b"}
    problem(live.http.post(BATCH, content=b"nonsense", headers=headers), 400, "malformed")
    headers = {"content-type": "multipart/form-data"}
    problem(live.http.post(BATCH, content=b"nonsense", headers=headers), 400, "malformed")
    assert set((live.home / "jobs").glob("*/")) == before


def test_ids_of_no_job(live: LiveStack, harness: JobHarness) -> None:
    submit(live, harness.numbers(10)[0])
    for method, rest in (
        *(("GET", ""), ("DELETE", ""), ("POST", "/resume")),
        *(("GET", "/output"), ("GET", "/errors"), ("GET", "/events")),
    ):
        for name in ("nobody", "01a1fcd1-b5f1-71d9-9404-90922f7de090", "a b%2e%2e"):
            problem(live.http.request(method, f"{BATCH}/{name}{rest}"), 404, "job_not_found")
    (job,) = live.http.get(BATCH, params={"limit": 1}).json()["data"]
    problem(live.http.get(f"/predict/result/{job['id']}"), 404, "prediction_not_found")
    assert live.http.get(f"{BATCH}/validate").status_code == 405
    allowed = live.http.options(f"{BATCH}/validate").headers["allow"]
    assert {*allowed.split(", ")} == {"OPTIONS", "POST"}
    for query in ({"limit": "0"}, {"limit": "many"}, {"status": "null"}, {"nonsense": "1"}):
        problem(live.http.get(BATCH, params=query), 422, "invalid")
