"""`python -m benchmarks.shadows`: prints the table of README.md."""

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import redis

from benchmarks.shadows.requests import answered, registered
from registry.storage.model_settings import Shadow
from registry.store import Registry
from stack.redis.binary import find_binary
from tasks.jobs.messages import BULK
from tasks.ledger import keys
from tasks.shadows.shadows import Shadows
from workers.compute.admission import AdmittedRequest
from workers.compute.shadowing import Shadowing

TIMES = 2000
COLUMNS = 20
SHADOWS = {"none": None, "1 %": Shadow(version=2, rate=1), "100 %": Shadow(version=2, rate=100)}


def main() -> None:
    """Measure and print."""
    print("| microbatch of | shadow | CPU, µs a prediction | CPU and Redis, µs a prediction |")
    print("|---|---|---|---|")
    with TemporaryDirectory() as home, _redis(Path(home)) as client:
        registry = Registry(Path(home))
        manifest = registered(registry, COLUMNS)
        for requests in 1, 16:
            for name, shadow in SHADOWS.items():
                group = [answered(manifest, shadow)] * requests
                cpu, wall = _microseconds(Shadowing(registry, Shadows(client)), group, client)
                print(f"| {requests} | {name} | {cpu:.2f} | {wall:.2f} |")


def _microseconds(
    shadowing: Shadowing, group: Sequence[AdmittedRequest], client: redis.Redis
) -> tuple[float, float]:
    """Microseconds a prediction: of this process, and of the clock."""
    answers: list[Any] = [([0.5], None)] * len(group)
    cpu = wall = 0.0
    for _ in range(TIMES):
        began, started = time.process_time(), time.perf_counter()
        shadowing.note(group, answers)
        shadowing.act()
        cpu += time.process_time() - began
        wall += time.perf_counter() - started
        client.delete(BULK, keys.QUEUED + BULK)  # so that none is dropped
    many = TIMES * len(group) / 1e6
    return cpu / many, wall / many


@contextmanager
def _redis(home: Path) -> Iterator[redis.Redis]:
    socket = str(home / "redis.sock")
    options = ("--port", "0", "--unixsocket", socket, "--save", "", "--dir", str(home))
    server = subprocess.Popen([str(find_binary()), *options], stdout=subprocess.DEVNULL)
    client = redis.Redis(unix_socket_path=socket)
    try:
        _wait(client)
        yield client
    finally:
        client.close()
        server.terminate()
        server.wait()


def _wait(client: redis.Redis) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            client.ping()
        except redis.ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


main()
