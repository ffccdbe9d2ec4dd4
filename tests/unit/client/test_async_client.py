"""`AsyncClient`: the calls of `Client` in an event loop, against the same server."""

import asyncio
import json
import threading

import pytest

from predictq import (
    AsyncClient,
    AsyncPending,
    BulkError,
    InvalidRequest,
    NotFound,
    Prediction,
    PredictionFailed,
    PredictqError,
    Unreachable,
    WaitTimeout,
)
from predictq.bulk import mapping
from tests.unit.client.conftest import listed
from tests.unit.fake_server import DROP, Answer, outcome, pending, problem, succeeded

ROW = [5.1, 3.5, 1.4, 0.2]
MANY = 60
"""Calls that wait at the same time; the fake server has a thread for each."""


def bulk_answer(*bodies, status=202):
    text = "".join(json.dumps(body) + "\n" for body in bodies)
    return Answer(status, text.encode(), content_type="application/x-ndjson")


def doubling(asked):
    """Accept each row under an id of its value, and answer with twice the value."""
    if asked.path.startswith("/predict/async"):
        ids = [str(line["features"][0]) for line in asked.body]
        return bulk_answer(*({"id": task_id, "status": "queued"} for task_id in ids))
    return bulk_answer(
        *(succeeded([2 * int(task_id)], task_id).body for task_id in asked.body), status=200
    )


def test_async_predict_polls_until_the_outcome(server, clock, run):
    server.script(pending(), pending(), succeeded([1]))
    answer = run(lambda client: client.predict("iris", ROW))
    assert isinstance(answer, Prediction)
    assert answer.predictions == [1]
    assert server.asked[0].body["features"] == ROW
    assert clock.slept == [1, 1]


def test_async_predict_repeats_with_the_same_key(server, run):
    server.script(DROP, problem(503, "queue_full", Retry_After="1", retryable=True), succeeded([1]))
    assert run(lambda client: client.predict("iris", ROW)).predictions == [1]
    assert len({asked.headers["Idempotency-Key"] for asked in server.asked}) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (outcome("failed", error={"code": "x", "message": "y", "retryable": False}),
         PredictionFailed),
        (problem(404, "model_not_found"), NotFound),
    ],
    ids=["failed", "not found"],
)  # fmt: skip
def test_async_predict_raises_the_errors_of_predict(server, run, answer, error):
    server.script(answer)
    with pytest.raises(error):
        run(lambda client: client.predict("iris", ROW))


def test_async_predict_gives_up_in_time(server, clock, run):
    server.behave = lambda _: pending()
    with pytest.raises(WaitTimeout):
        run(lambda client: client.predict("iris", ROW, timeout=3))
    assert sum(clock.slept) == pytest.approx(3, abs=0.1)


def test_async_calls_wait_at_the_same_time(server, run):
    together = threading.Barrier(MANY)

    def behave(asked):
        together.wait(30)  # answered only once all have asked
        return succeeded([asked.body["features"][0]])

    server.behave = behave

    async def predict_many(client):
        return await asyncio.gather(*(client.predict("m", [number]) for number in range(MANY)))

    answers = run(predict_many)
    assert [answer.predictions for answer in answers] == [[number] for number in range(MANY)]


def test_async_call_that_is_cancelled_sends_nothing_more(server, run):
    async def cancel_one(client):
        asked = asyncio.Event()
        loop = asyncio.get_running_loop()

        def behave(_):
            loop.call_soon_threadsafe(asked.set)
            return pending()

        server.behave = behave
        call = asyncio.create_task(client.predict("iris", ROW))
        await asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        so_far = len(server.asked)
        server.behave = lambda _: Answer(200, {"status": "ok"})
        await client.health()
        return len(server.asked) - so_far

    assert run(cancel_one) <= 2  # the look-up that was under way, if any, and the health


def test_async_pending_looks_itself_up(server, run):
    server.script(pending(), pending(status="running"), succeeded([1]))

    async def follow(client):
        accepted = await client.submit("iris", ROW, idempotency_key="mine")
        return accepted, await accepted.result(), await accepted.result(wait=5)

    accepted, running, answer = run(follow)
    assert isinstance(accepted, AsyncPending)
    assert running.status == "running"
    assert answer.predictions == [1]
    assert server.asked[0].headers["Idempotency-Key"] == "mine"


def test_async_submit_finds_out_what_became_of_an_uncertain_one(server, run):
    lost = problem(503, "uncertain")
    lost.body["id"] = "p1"
    server.script(lost, pending())
    assert run(lambda client: client.submit("iris", ROW)).id == "p1"


def test_async_map_keeps_the_order(server, run, monkeypatch):
    monkeypatch.setattr(mapping, "WINDOW_ROWS", 2)
    server.behave = doubling
    done = []

    def mapped(client):
        return listed(client.map("m", ([n] for n in range(5)), progress=done.append))

    assert [each.predictions for each in run(mapped)] == [[0], [2], [4], [6], [8]]
    assert done == [2, 4, 5]


def test_async_map_raises_or_yields_errors(server, run):
    failed = outcome("failed", "a", error={"code": "x", "message": "y", "retryable": False})

    def behave(asked):
        if asked.path.startswith("/predict/async"):
            return bulk_answer({"id": "a", "status": "queued"})
        return bulk_answer(failed.body, status=200)

    server.behave = behave
    with pytest.raises(PredictionFailed):
        run(lambda client: listed(client.map("m", [[1]])))
    (error,) = run(lambda client: listed(client.map("m", [[1]], return_exceptions=True)))
    assert isinstance(error, PredictionFailed)


def test_async_submit_many_and_as_completed(server, run):
    server.behave = doubling

    async def both(client):
        ids = await client.submit_many("m", [[1], [2]])
        return ids, [each.result().predictions async for each in client.as_completed(ids)]

    assert run(both) == (["1", "2"], [[2], [4]])


def test_async_submit_many_says_which_rows_were_refused(server, run):
    bad = {"title": "x", "detail": "bad", "code": "invalid_features", "retryable": False}
    refused = {**bad, "line": 1, "status": 422, "errors": []}
    server.script(bulk_answer(refused, {"id": "b", "status": "queued"}))
    with pytest.raises(BulkError) as raised:
        run(lambda client: client.submit_many("m", [[1], [2]]))
    assert raised.value.ids == [None, "b"]


def test_async_look_ups_of_models_and_health(server, run):
    server.script(
        Answer(200, {"models": [{"name": "iris"}]}),
        Answer(200, {"name": "iris"}),
        Answer(200, {"status": "ok"}),
        Answer(200, {}),
        problem(503, "not_ready"),
        Answer(204, b""),
    )

    async def look(client):
        return (
            await client.models(),
            await client.model("iris"),
            await client.health(),
            await client.ready(),
            await client.ready(),
            await client.cancel("p1"),
        )

    assert run(look) == ([{"name": "iris"}], {"name": "iris"}, {"status": "ok"}, True, False, None)
    assert server.calls[-1] == ("DELETE", "/predict/result/p1")


def test_async_client_names_a_wrong_argument(run):
    with pytest.raises(InvalidRequest, match="timeout"):
        run(lambda client: client.predict("iris", ROW, timeout=-1))


def test_async_client_without_a_server(nowhere, clock):
    async def ask():
        async with AsyncClient(nowhere, clock=clock) as client:
            assert not await client.ready()
            await client.health()

    with pytest.raises(Unreachable, match="no predictq answers"):
        asyncio.run(ask())


def test_async_client_that_is_closed_says_so(server):
    async def ask():
        client = AsyncClient(server.url)
        await client.close()
        await client.health()

    with pytest.raises(PredictqError, match="closed"):
        asyncio.run(ask())
