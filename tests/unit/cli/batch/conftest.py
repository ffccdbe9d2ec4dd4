"""A fake server that the command finds through the environment."""

import pytest

from tests.unit.fake_server import stand_in


@pytest.fixture
def server(monkeypatch):
    with stand_in() as stand:
        monkeypatch.setenv("PREDICTQ_URL", stand.url)
        yield stand
