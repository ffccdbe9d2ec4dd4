"""`client.models`: aliases, history, removals."""

import pytest

from predictq import Conflict, InvalidRequest, WaitTimeout
from tests.unit.fake_server import Answer

MOVED = {"model": "m", "alias": "a", "version": 2, "previous": 1, "changed": True}


def test_client_models_move_and_remove_aliases(server, client):
    server.script(*[Answer(200, MOVED)] * 3)
    assert client.models.set_alias("m", "a", 2, expected=0, why="better") == MOVED
    client.models.remove_alias("m", "a", expected=1)
    client.models.rollback("m", why="worse")
    (put, delete, post) = server.calls
    assert put == ("PUT", "/models/m/aliases/a")
    assert delete[1].startswith("/models/m/aliases/a?")
    assert "expected=1" in delete[1]
    assert post == ("POST", "/models/m/rollback")


def test_client_models_raise_conflict_for_an_alias_that_moved(server, client):
    body = {"code": "alias_moved", "detail": "it means m:3", "retryable": False}
    server.script(Answer(409, body))
    with pytest.raises(Conflict, match="it means m:3"):
        client.models.set_alias("m", "a", 2, expected=1)


def test_client_models_list_history_and_remove(server, client):
    server.script(*[Answer(200, {"data": [], "has_more": False})] * 7)
    client.models.history("m", after=7, at="2026-01-01")
    client.models.remove("m", 3, force=True)
    client.models.keep_latest("m", 2)
    client.models.sample("m", 1)
    client.models.quality("m", 1, days=7)
    client.models.drift("m", 2, hours=1)
    client.models.drift("m")
    paths = [path for _, path in server.calls]
    assert paths[0] == "/models/m/history?limit=100&after=7&at=2026-01-01"
    assert paths[1].startswith("/models/m/versions/3?")
    assert "force=true" in paths[1]
    assert paths[2:] == [
        "/models/m/keep-latest",
        "/models/m/versions/1/sample",
        "/models/m/versions/1/quality?days=7",
        "/models/m/drift?hours=1&version=2",
        "/models/m/drift?hours=24",
    ]


HELD = {"model": "m:2", "loaded": True, "workers": ["w"], "waiting_for": []}


@pytest.mark.parametrize("act", ["load", "unload"])
def test_client_models_wait_until_every_worker_has_loaded_or_unloaded(server, client, act):
    server.script(Answer(202, HELD | {"workers": [], "waiting_for": ["w"]}), Answer(200, HELD))
    assert getattr(client.models, act)("m", 2) == HELD
    assert server.calls == [("POST", f"/models/m/versions/2/{act}")] * 2


def test_client_models_do_not_wait_for_workers_for_ever(server, client):
    server.behave = lambda _: Answer(202, HELD | {"workers": [], "waiting_for": ["w"]})
    with pytest.raises(WaitTimeout, match="still load or unload m:2"):
        client.models.load("m", 2, timeout=0.05)


def test_client_models_split_an_alias(server, client):
    server.script(Answer(200, MOVED))
    client.models.set_alias("m", "a", {3: 90, 4: 10}, expected={3: 95, 4: 5})
    body = server.asked[-1].body
    assert body["version"] == {"3": 90, "4": 10}
    assert body["expected"] == {"3": 95, "4": 5}
    with pytest.raises(InvalidRequest, match="version"):
        client.models.set_alias("m", "a", {3: "many"})


def test_client_models_set_the_cache(server, client):
    server.script(Answer(200, {"model": "m", "cache": 60, "varying": []}))
    assert client.models.set_cache("m", 60)["cache"] == 60
    assert server.calls == [("PUT", "/models/m/cache")]
    assert server.asked[0].body == {"cache": 60}
