"""Batch jobs through `AsyncClient`: the calls of `Jobs`, in threads."""

from pathlib import Path

import pytest

from predictq import Unavailable
from tests.unit.client.conftest import listed
from tests.unit.fake_server import Answer, events, job, problem


def test_async_jobs_are_submitted_followed_and_downloaded(server, run, tmp_path: Path):
    server.script(
        Answer(202, job(status="queued")),
        events(job(), job(status="completed")),
        Answer(200, b"prediction\n1\n", content_type="text/csv"),
        Answer(200, {"data": [job()], "has_more": False}),
        Answer(200, b"", content_type="application/x-ndjson"),
    )
    target = tmp_path / "out.csv"

    async def score(client):
        accepted = await client.jobs.submit("iris", [{"x": 1.0}])
        states = [each.status async for each in client.jobs.follow(accepted.id)]
        await client.jobs.download(accepted.id, target)
        return states, await client.jobs.list(), await listed(client.jobs.errors(accepted.id))

    states, jobs, errors = run(score)
    assert states == ["running", "completed"]
    assert target.read_bytes() == b"prediction\n1\n"
    assert [each.id for each in jobs] == ["j1"]
    assert errors == []


def test_async_jobs_raise_the_errors_of_jobs(server, run):
    server.behave = lambda _: problem(503, "busy")
    with pytest.raises(Unavailable):
        run(lambda client: client.jobs.get("j1"))
