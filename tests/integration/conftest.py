"""A bare Redis, and a stack whose models raise, kill or answer nonsense."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from stack.process import Process
from stack.redis import server as redis_server
from tasks.ledger.ledger import connect
from tests.measurement import MEASUREMENT
from tests.support.models import Doubling, Forking, Leaky, Lethal, Strange, Touchy, register
from tests.support.stack import LiveStack, running, until


@pytest.fixture(scope="session")
def bare_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Redis without a stack; it writes nothing to disk, as no test ends it."""
    home = tmp_path_factory.mktemp("redis")
    server = redis_server.prepare_server(home)
    process = Process(server.program(), home / "redis.log")
    try:
        until(process.program.ready, "redis ready")
        with connect(server.url) as client:
            client.config_set("appendonly", "no")
        yield server.url
    finally:
        process.kill()


@pytest.fixture(scope="module")
def client(bare_redis: str) -> Iterator[redis.Redis]:
    with connect(bare_redis) as client:
        client.flushall()
        yield client


@pytest.fixture(scope="session")
def unruly(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    home = tmp_path_factory.mktemp("unruly")
    diary = home / "diary"
    diary.touch()
    forking = Forking(str(home / "forked"))
    for model in (Doubling(), Touchy(str(diary)), Lethal(), Strange(), Leaky(), forking):
        register(home, type(model).__name__.lower(), model, [[1.0, 0.0]])
    memory = {"PREDICTQ_PREDICTION_MEMORY": str(2**28)}
    with MEASUREMENT.of_children(), running(home, **memory) as stack:
        for name in ("doubling", "touchy", "lethal", "strange", "leaky", "forking"):
            assert stack.predict(name, [1.0, 0.0]) == [2.0]  # its batch size is known now
        yield stack


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., LiveStack]]:
    """Starts stacks on a home with registered models, with these settings and early probes."""
    stacks: list[Any] = []

    def begin(**settings: Any) -> LiveStack:
        stacks.append(running(tmp_path, forks=True, **{"PREDICTQ_PROBE_AFTER": "0.5", **settings}))
        return stacks[-1].__enter__()

    yield begin
    for stack in stacks:
        stack.__exit__(None, None, None)
