"""A fake server that the command finds through the environment."""

import pytest

from tests.unit.cli.predict.service import Service, knowing
from tests.unit.fake_server import StandIn, stand_in


@pytest.fixture
def server(monkeypatch):
    def script(self, *answers):
        left = list(answers)
        self.behave = knowing(lambda _: left.pop(0))

    monkeypatch.setattr(StandIn, "script", script)
    with stand_in() as stand:
        monkeypatch.setenv("PREDICTQ_URL", stand.url)
        yield stand


@pytest.fixture
def service(server):
    server.behave = Service(sum)
    return server.behave
