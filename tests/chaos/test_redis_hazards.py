"""Hazards of Redis: full, killed, frozen, and slow to write; on stacks of their own."""

import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

import msgspec
import pytest
import redis

from stack.process import Process
from stack.redis import server as redis_server
from tasks.ledger import keys
from tasks.ledger.ledger import connect
from tests.support.models import Doubling, register
from tests.support.stack import LiveStack, is_idle, running, until

pytestmark = pytest.mark.slow

ROW = [1.0, 0.0]
BODY = {"model": "doubling", "features": ROW}
SLOW_SYNC = """
#include <unistd.h>
#include <sys/syscall.h>
int fdatasync(int fd) { usleep(900000); return syscall(SYS_fdatasync, fd); }
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    home = tmp_path_factory.mktemp("redis-risk")
    register(home, "doubling", Doubling(), [ROW])
    with running(home, forks=True, PREDICTQ_VISIBILITY_TIMEOUT="2") as stack:
        assert stack.predict("doubling", ROW) == [2.0]
        yield stack


@pytest.fixture
def client(stack: LiveStack) -> Iterator[redis.Redis]:
    with connect(stack.redis_url, timeout=10) as client:  # it may be asked while the disk is slow
        yield client


@contextmanager
def full(client: redis.Redis) -> Iterator[None]:
    """Redis refuses whatever takes memory; not longer, even if the test fails."""
    client.config_set("maxmemory", 1)
    try:
        yield
    finally:
        client.config_set("maxmemory", 0)


class Submissions:
    """Submits continuously inside the context, whatever is answered."""

    def __init__(self, stack: LiveStack) -> None:
        self._stack, self._over = stack, threading.Event()
        self._thread = threading.Thread(target=self._submit)
        self.accepted: list[str] = []
        self.refused: Counter[int] = Counter()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _submit(self) -> None:
        while not self._over.wait(0.002):
            answer = self._stack.http.post("/predict/async", json=BODY)
            if answer.status_code == 202:
                self.accepted.append(answer.json()["id"])
            else:
                self.refused[answer.status_code] += 1

    def more(self, count: int = 50) -> None:
        """Wait until so many more were accepted."""
        known = len(self.accepted)
        until(lambda: len(self.accepted) >= known + count, "more is accepted", 60)


def assert_all_answered(stack: LiveStack, accepted: list[str]) -> None:
    answers = [stack.outcome(task_id, 60) for task_id in accepted]
    assert [answer.get("predictions") for answer in answers] == [[2.0]] * len(accepted)


def test_hazard_2_redis_gets_full_while_all_are_at_work(
    stack: LiveStack, client: redis.Redis
) -> None:
    worker = stack.pid("worker")
    with Submissions(stack) as submissions:
        submissions.more()
        with ExitStack() as meanwhile:
            with stack.frozen_pool():
                submissions.more()  # some have started, others still wait
                meanwhile.enter_context(full(client))
                until(lambda: submissions.refused[503] > 5, "submissions are refused")
            # Accepted predictions are still computed.
            until(lambda: is_idle(client), "all is settled")
        submissions.more()
    assert set(submissions.refused) == {503}
    assert_all_answered(stack, submissions.accepted)
    assert stack.pid("worker") == worker
    assert stack.is_running("worker")


def test_hazard_7_redis_is_killed_and_restarted_under_load(
    stack: LiveStack, client: redis.Redis
) -> None:
    worker = stack.pid("worker")
    with Submissions(stack) as submissions:
        for _ in range(2):
            submissions.more()
            stack.kill("redis")
            stack.start("redis")
        submissions.more()
        back = time.monotonic()
    assert_all_answered(stack, submissions.accepted)
    assert time.monotonic() - back < 30
    assert set(submissions.refused) <= {503}
    assert stack.pid("worker") == worker
    until(lambda: client.hlen(keys.RESERVED) == client.hlen(keys.ATTEMPTS) == 0, "nothing is held")


def test_hazard_8_outcome_that_cannot_be_stored_is_not_acknowledged(
    stack: LiveStack, client: redis.Redis
) -> None:
    """One script stores the outcome and acknowledges the message, so neither happens alone."""
    with stack.frozen_pool():
        ids = [stack.submit("doubling", ROW)["id"] for _ in range(10)]
        until(lambda: client.hlen(keys.RESERVED), "something is taken")
        stack.kill("redis")
    # The pool computes while the ledger cannot be reached.
    until(lambda: "the ledger cannot be reached" in stack.logs(), "somebody who tries to store")
    stack.start("redis")
    assert_all_answered(stack, ids)
    until(lambda: client.hlen(keys.RESERVED) == 0, "nothing is held")


def test_hazard_12_idempotency_key_finds_what_was_pushed_unseen(
    stack: LiveStack, client: redis.Redis
) -> None:
    headers = {"Idempotency-Key": "unseen"}
    with stack.frozen("redis"):
        assert stack.http.post("/predict/async", json=BODY, headers=headers).status_code == 503
    ids = {
        stack.http.post("/predict/async", json=BODY, headers=headers).json()["id"] for _ in range(2)
    }
    (task_id,) = ids
    assert stack.outcome(task_id)["predictions"] == [2.0]
    assert client.hget(keys.IDEMPOTENCY + "unseen", "id") == task_id.encode()


def pushed_before_the_kill(directory: Path, environment: dict[str, str], seconds: float) -> bool:
    """Push for ``seconds``, then kill Redis; whether all acknowledged pushes are there again."""
    server = redis_server.prepare_server(directory)
    program = server.program()
    slow = msgspec.structs.replace(program, environment={**program.environment, **environment})
    process = Process(slow, directory / "redis.log")
    until(program.ready, "redis ready")
    acknowledged = 0
    end = time.monotonic() + seconds
    with redis.Redis.from_url(server.url) as client:
        while time.monotonic() < end:
            client.lpush("predict", f"message {acknowledged}")
            acknowledged += 1
    process.kill()
    process = Process(program, directory / "redis.log")
    until(program.ready, "redis ready again")
    with redis.Redis.from_url(server.url) as client:
        found = client.lrange("predict", 0, -1)[::-1]
    process.kill()
    assert acknowledged > 1
    return found[:acknowledged] == [b"message %d" % n for n in range(acknowledged)]


def test_hazard_16_killed_redis_has_all_that_it_acknowledged(tmp_path: Path) -> None:
    assert pushed_before_the_kill(tmp_path, {}, 0.5)


def test_hazard_16_killed_redis_on_a_slow_disk_has_all_that_it_acknowledged(
    tmp_path: Path,
) -> None:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("to make fdatasync slow takes a C compiler")
    source, library = tmp_path / "slow.c", tmp_path / "slow.so"
    source.write_text(SLOW_SYNC)
    subprocess.run([compiler, "-shared", "-fPIC", source, "-o", library], check=True, timeout=60)
    started = time.monotonic()
    assert pushed_before_the_kill(tmp_path, {"LD_PRELOAD": str(library)}, 4.0)
    assert time.monotonic() - started > 0.9
