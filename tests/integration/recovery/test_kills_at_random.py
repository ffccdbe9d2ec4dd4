"""Hazard 1: a worker is killed repeatedly under load; accepted predictions are answered."""

import random
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import psutil
import pytest

from tasks.ledger import keys
from tasks.ledger.ledger import connect
from tests.support.models import Doubling, register
from tests.support.stack import LiveStack, running, until

pytestmark = pytest.mark.slow

KILLS = 3


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[LiveStack]:
    register(tmp_path, "doubling", Doubling(), [[1.0, 0.0]])
    with running(tmp_path, forks=True, PREDICTQ_VISIBILITY_TIMEOUT="4") as stack:
        until(lambda: stack.predict("doubling", [1.0, 0.0]), "a first prediction")
        yield stack


def test_accepted_predictions_are_answered(stack: LiveStack) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance, accepted, over = random.Random(seed), [], Event()

    def submit() -> None:
        while not over.is_set():
            value = float(len(accepted))
            accepted.append(stack.submit("doubling", [value, 0.0])["id"])

    load = Thread(target=submit)
    load.start()
    try:
        for _ in range(KILLS):
            more = len(accepted) + chance.randrange(50, 300)
            until(lambda more=more: len(accepted) > more, "more submissions")
            family = psutil.Process(stack.pid("worker")).children(recursive=True)
            for process in chance.sample(family, min(1, len(family))):
                process.kill()
            stack.kill("worker")
            stack.start("worker")
    finally:
        over.set()
        load.join()
    answers = [stack.outcome(task_id) for task_id in accepted]
    assert [answer.get("predictions") for answer in answers] == [
        [2.0 * number] for number in range(len(accepted))
    ]
    assert len(accepted) > 100
    with connect(stack.redis_url) as client:
        until(lambda: not client.hlen(keys.RESERVED), "nothing is held")
        assert client.llen("predict") == client.zcard(keys.DUE) == client.hlen(keys.ATTEMPTS) == 0
