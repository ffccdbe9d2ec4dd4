"""`models`, `model`, `health` and `ready`."""

from predictq import Client
from tests.unit.fake_server import Answer


def test_models_and_health(server, client):
    server.script(
        Answer(200, {"models": [{"name": "iris"}]}),
        Answer(200, {"name": "iris", "latest": 3}),
        Answer(200, {"status": "ok"}),
    )
    assert client.models() == [{"name": "iris"}]
    assert client.model("iris")["latest"] == 3
    assert client.health() == {"status": "ok"}
    assert server.calls == [("GET", "/models"), ("GET", "/models/iris"), ("GET", "/health")]


def test_ready(server, client):
    server.script(Answer(200, {"ready": True}), Answer(503, {"ready": False}))
    assert client.ready()
    assert not client.ready()


def test_ready_is_false_where_no_server_listens(nowhere, clock):
    assert not Client(nowhere, clock=clock).ready()
