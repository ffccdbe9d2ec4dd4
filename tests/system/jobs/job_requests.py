"""Requests about batch jobs over HTTP."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2

from tests.support.stack import Json, LiveStack, until

BATCH = "/predict/batch"


def submit(live: LiveStack, source: Path, model: str = "touchy", **fields: Any) -> Json:
    """Submit a job by file reference and return it."""
    answer = live.http.post(BATCH, json=by_reference(source, model, **fields))
    assert answer.status_code == 202, answer.text
    job: Json = answer.json()
    assert answer.headers["location"] == job["urls"]["self"]
    return job


def by_reference(source: Path, model: str = "touchy", **fields: Any) -> Json:
    """The body of such a job request."""
    return {"model": model, "input_uri": str(source), **fields}


def upload(live: LiveStack, name: str, content: bytes, **fields: Any) -> httpx2.Response:
    given = {"model": "touchy", **fields}
    return live.http.post(BATCH, data=given, files={"file": (name, content)})


def ended(live: LiveStack, job: Json) -> Json:
    """Follow the job's events and return it once it has ended."""
    last = {}
    with closing(until(lambda: listening(live, job), "a free slot for events")) as events:
        assert events.headers["content-type"] == "text/event-stream; charset=utf-8"
        for line in events.iter_lines():
            if line.startswith("data: "):
                last = json.loads(line.removeprefix("data: "))
                counts = dict(last["counts"])
                assert counts.pop("total") == sum(counts.values())
    assert last["ended_at"], last
    return last


def listening(live: LiveStack, job: Json) -> httpx2.Response | None:
    """The events of a job; None while no slot for events is free."""
    asked = live.http.build_request("GET", job["urls"]["events"])
    events = live.http.send(asked, stream=True)
    if events.status_code == 503:
        events.close()
        return None
    return events


def problem(answer: httpx2.Response, status: int, code: str) -> Json:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()
