"""Hazard 1: a worker is killed repeatedly under load; accepted predictions are answered."""

import random
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import httpx2
import msgspec
import psutil
import pytest

from tasks.ledger import keys
from tasks.ledger.ledger import connect
from tests.support.models import Doubling, register
from tests.support.stack import LiveStack, running, until

pytestmark = pytest.mark.slow

KILLS = 3
PRIORITIES = "high", "normal", "low"
LINES = 200
"""Predictions in a bulk request of a caller with a key."""


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[LiveStack]:
    register(tmp_path, "doubling", Doubling(), [[1.0, 0.0]])
    with running(tmp_path, forks=True, PREDICTQ_VISIBILITY_TIMEOUT="4") as stack:
        until(lambda: stack.predict("doubling", [1.0, 0.0]), "a first prediction")
        yield stack


class Bulky:
    """A caller with a key, whose predictions wait in a flow of their own."""

    def __init__(self, stack: LiveStack, name: str, weight: float, start: int) -> None:
        wanted = {"name": name, "scopes": ["predict"], "weight": weight, "in_flight": 10_000}
        made = stack.owner.post("/keys", json=wanted)
        headers = {"Authorization": f"Bearer {made.json()['token']}"}
        self._http = httpx2.Client(base_url=stack.url, headers=headers, timeout=60)
        self._next = start
        self.accepted: dict[str, float] = {}
        """Id → the first value of its row."""

    def submit(self) -> None:
        values = [float(number) for number in range(self._next, self._next + LINES)]
        self._next += LINES
        fields = ({"features": [v, 0.0], "priority": PRIORITIES[int(v) % 3]} for v in values)
        headers = {"Content-Type": "application/x-ndjson"}
        told = self._http.post(
            "/predict/async?model=doubling",
            content=b"\n".join(map(msgspec.json.encode, fields)),
            headers=headers,
        )
        ids = [msgspec.json.decode(line)["id"] for line in told.text.splitlines()]
        self.accepted |= dict(zip(ids, values, strict=True))

    def answers(self) -> dict[str, float]:
        """Id → the answer to it."""
        told = self._http.post(
            "/predict/results", json=[*self.accepted], headers={"Prefer": "wait=50"}
        )
        outcomes = [msgspec.json.decode(line) for line in told.text.splitlines()]
        return {each["id"]: each["predictions"][0] for each in outcomes if "predictions" in each}


def test_accepted_predictions_are_answered(stack: LiveStack) -> None:
    """Those of a caller without a key, and of two whose predictions wait in flows."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance, accepted, over = random.Random(seed), [], Event()
    bulky = [Bulky(stack, "heavy", 3, 10**6), Bulky(stack, "light", 0.5, 2 * 10**6)]

    def submit() -> None:
        while not over.is_set():
            value = float(len(accepted))
            accepted.append(stack.submit("doubling", [value, 0.0])["id"])

    load = Thread(target=submit)
    load.start()
    flowed = 0
    try:
        for _ in range(KILLS):
            more = len(accepted) + chance.randrange(50, 300)
            until(lambda more=more: len(accepted) > more, "more submissions")
            for caller in bulky:
                caller.submit()
            family = psutil.Process(stack.pid("worker")).children(recursive=True)
            for process in chance.sample(family, min(1, len(family))):
                process.kill()
            stack.kill("worker")
            for caller in bulky:
                caller.submit()
            flowed = max(flowed, waiting_in_flows(stack))
            stack.start("worker")
    finally:
        over.set()
        load.join()
    answers = [stack.outcome(task_id) for task_id in accepted]
    assert [answer.get("predictions") for answer in answers] == [
        [2.0 * number] for number in range(len(accepted))
    ]
    assert len(accepted) > 100
    assert flowed >= 2 * LINES - 2
    for caller in bulky:
        assert len(caller.accepted) == 2 * KILLS * LINES
        assert caller.answers() == {each: 2 * value for each, value in caller.accepted.items()}
    with connect(stack.redis_url) as client:
        until(lambda: not client.hlen(keys.RESERVED), "nothing is held")
        assert client.llen("predict") == client.zcard(keys.DUE) == client.hlen(keys.ATTEMPTS) == 0
        assert not [*client.scan_iter("predictq:flow*")]
        assert not [*client.scan_iter("predictq:in-flight*")]


def waiting_in_flows(stack: LiveStack) -> int:
    with connect(stack.redis_url) as client:
        return int(client.hget(f"{keys.QUEUED}predict", "flowing") or 0)
