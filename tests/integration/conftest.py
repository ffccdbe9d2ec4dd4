"""A Redis without anything else, for tests of what lies in it."""

from collections.abc import Iterator

import pytest
import redis

from cli import redis_server
from cli.process import Process
from tasks.ledger.ledger import connect
from tests.stack import until


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis.Redis]:
    home = tmp_path_factory.mktemp("redis")
    server = redis_server.prepare(home)
    process = Process(server.program(), home / "redis.log")
    until(server.program().ready, "redis ready")
    yield connect(server.url)
    process.kill()
