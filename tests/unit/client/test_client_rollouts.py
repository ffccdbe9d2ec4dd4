"""`client.models.rollouts`, and the same for an event loop."""

import inspect

import pytest

from predictq.models.async_rollouts import AsyncRollouts
from predictq.models.rollouts import Rollouts
from tests.unit.fake_server import Answer

STATE = {"id": 1, "status": "running"}
ANSWERS = [*[Answer(200, STATE)] * 4, Answer(200, {"rollouts": [STATE]}), Answer(200, STATE)]
CALLS = [name for name in vars(Rollouts) if not name.startswith("_")]


def test_client_rollouts_start_change_and_show(server, client):
    server.script(Answer(201, STATE), *ANSWERS)
    rollouts = client.models.rollouts
    assert rollouts.start("m", 2, steps=[5, 100], every_seconds=30, why="better") == STATE
    for act in (rollouts.pause, rollouts.resume, rollouts.abort, rollouts.show):
        assert act("m", 1) == STATE
    assert rollouts("m") == [STATE]
    assert rollouts.comparison("m", "staging") == STATE
    acts = ["/pause", "/resume", "/abort"]
    assert server.calls == [
        ("POST", "/models/m/rollouts"),
        *(("POST", f"/models/m/rollouts/1{act}") for act in acts),
        ("GET", "/models/m/rollouts/1"),
        ("GET", "/models/m/rollouts"),
        ("GET", "/models/m/comparison?alias=staging"),
    ]


def test_async_rollouts_are_the_same(server, run):
    server.script(Answer(201, STATE), *ANSWERS)

    async def use(client):
        rollouts = client.models.rollouts
        assert await rollouts.start("m", 2, again=True) == STATE
        for act in (rollouts.pause, rollouts.resume, rollouts.abort, rollouts.show):
            assert await act("m", 1) == STATE
        assert await rollouts("m") == [STATE]
        assert await rollouts.comparison("m") == STATE

    run(use)
    assert len(server.calls) == 7


@pytest.mark.parametrize("name", CALLS)
def test_async_rollouts_have_each_call(name):
    theirs = inspect.signature(getattr(Rollouts, name)).parameters
    ours = inspect.signature(getattr(AsyncRollouts, name)).parameters
    if name != "start":  # it passes its options on
        assert [*map(str, ours.values())] == [*map(str, theirs.values())]


def test_client_shadows_are_set_shown_and_stopped(server, client, run):
    server.script(*[Answer(200, STATE)] * 3, Answer(200, {"examples": [STATE]}))
    rollouts = client.models.rollouts
    assert rollouts.set_shadow("m", 2, rate=5, why="to see") == STATE
    assert rollouts.shadow("m") == STATE
    assert rollouts.stop_shadow("m", "staging") == STATE
    assert rollouts.disagreements("m") == [STATE]
    paths = [path.partition("&")[0] for _, path in server.calls]
    assert paths == [
        "/models/m/shadow",
        "/models/m/shadow?alias=production",
        "/models/m/shadow?alias=staging",
        "/models/m/shadow/examples?alias=production",
    ]
    server.script(*[Answer(200, STATE)] * 3, Answer(200, {"examples": [STATE]}))

    async def use(client):
        rollouts = client.models.rollouts
        assert await rollouts.set_shadow("m", 2) == STATE
        assert await rollouts.shadow("m") == STATE
        assert await rollouts.stop_shadow("m") == STATE
        assert await rollouts.disagreements("m") == [STATE]

    run(use)
    assert [method for method, _ in server.calls] == ["PUT", "GET", "DELETE", "GET"] * 2
