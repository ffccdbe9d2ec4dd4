"""The faults: each does its harm, waits, and heals what does not heal by itself."""

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from random import Random

import msgspec
import psutil
import redis

from benchmarks.prove.callers import Callers
from benchmarks.prove.system import WORKERS, System
from benchmarks.prove.witness import CRASHES, HANGS, LEAKS

SENDING = 0.5
"""Seconds that a submission takes at most while nothing is harmed."""


class Target(msgspec.Struct, frozen=True):
    """What is struck, by what chance, and how patient it is."""

    system: System
    callers: Callers
    chance: Random
    visibility_timeout: float
    queue: str

    def worker(self) -> str:
        """One of the workers."""
        return self.chance.choice(WORKERS)


class Fault(msgspec.Struct, frozen=True):
    """One kind of harm; `strike` returns when it is over."""

    what: str
    strike: Callable[[Target], None]
    naive: bool = True
    """Whether the naive design has such a part."""


def _kill_worker(at: Target) -> None:
    """The process that takes messages, whose orphans follow soon; or all of it at once."""
    name = at.worker()
    for process in at.system.family(name) if at.chance.random() < 0.5 else []:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    at.system.kill(name)


def _kill_child(at: Target) -> None:
    _kill_one(at, at.system.computing(at.worker()))


def _kill_fork_server(at: Target) -> None:
    _kill_one(at, at.system.family(at.worker())[:1])


def _kill_api(at: Target) -> None:
    """The server as a whole, or a process of it."""
    if at.chance.random() < 0.5:
        at.system.kill("api")
    else:
        _kill_one(at, at.system.family("api"))


def _stop_worker(at: Target) -> None:
    at.system.signal(at.worker(), signal.SIGTERM)


def _freeze_worker(at: Target) -> None:
    """The process that takes messages, alone or with all that compute."""
    name = at.worker()
    with_family = at.chance.random() < 0.5
    at.system.signal(name, signal.SIGSTOP)
    family = at.system.family(name) if with_family else []
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.suspend()
    time.sleep(at.visibility_timeout * at.chance.uniform(1.5, 2.5))
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.resume()
    at.system.signal(name, signal.SIGCONT)


def _kill_redis(at: Target) -> None:
    at.system.kill("redis")


def _freeze_redis(at: Target) -> None:
    at.system.signal("redis", signal.SIGSTOP)
    time.sleep(at.chance.uniform(1, 6))
    at.system.signal("redis", signal.SIGCONT)


def _fill_redis(at: Target) -> None:
    with suppress(redis.RedisError), at.system.redis() as client:
        client.config_set("maxmemory", client.info("memory")["used_memory"])
        time.sleep(at.chance.uniform(1, 4))
    at.system.heal()


def _cut(at: Target) -> None:
    for _ in range(at.chance.randint(1, 5)):
        at.system.proxy.cut()
        time.sleep(at.chance.uniform(0, 0.3))


def _refuse(at: Target) -> None:
    at.system.proxy.refusing = True
    at.system.proxy.cut()
    time.sleep(at.chance.uniform(0.5, 3))
    at.system.proxy.heal()


def _delay(at: Target) -> None:
    at.system.proxy.delay = at.chance.uniform(0.05, 1.5)
    time.sleep(at.chance.uniform(1, 4))
    at.system.proxy.heal()


def _half_close(at: Target) -> None:
    at.system.proxy.half_close()
    time.sleep(at.chance.uniform(0.2, 2))
    at.system.proxy.heal()


def _poison(at: Target) -> None:
    with suppress(redis.RedisError), at.system.redis() as client:
        client.lpush(at.queue, *at.chance.sample(POISONS, len(POISONS)))


def _crash_model(at: Target) -> None:
    _ask(at, *[(CRASHES, 0.0)] * at.chance.randint(1, 3))


def _hang_model(at: Target) -> None:
    seconds = at.visibility_timeout * at.chance.uniform(1.5, 2.5)
    _ask(at, (HANGS, seconds))


def _leak_model(at: Target) -> None:
    _ask(at, *[(LEAKS, 0.0)] * 30)


def _skew_clock(at: Target) -> None:
    at.system.skew("second", at.chance.choice([-3600, -60, -5, 5, 60, 3600]))
    at.system.signal("second", signal.SIGTERM)


def _ask(at: Target, *mischief: tuple[int, float]) -> None:
    """The next callers ask for that."""
    at.callers.mischief.extend(mischief)
    while at.callers.mischief and at.callers.is_submitting:
        time.sleep(0.05)
    time.sleep(SENDING)


def _kill_one(at: Target, family: list[psutil.Process]) -> None:
    if family:
        with suppress(psutil.NoSuchProcess):
            at.chance.choice(family).kill()


POISONS: list[bytes] = [
    b"",
    b"\x00\xff\xfe",
    b"nonsense",
    b"[" * 100_000,
    b"{}",
    b"[]",
    b"1e999",
    b'"\\ud800"',
    b'{"headers":{"rows":99999999999999999999999999',
    b'{"headers":{"rows":1},"properties":{},"body":7}',
    b'{"headers":{"task":"no.such.task","id":"poison"},"properties":{},"body":"W10="}',
    b'{"headers":{"task":"tasks.prediction.predict","id":7},"properties":{},"body":""}',
]

FAULTS: dict[str, Fault] = {
    "worker-killed": Fault("SIGKILL of a worker, alone or with all its processes", _kill_worker),
    "child-killed": Fault("SIGKILL of a process that computes", _kill_child),
    "forkserver-killed": Fault("SIGKILL of a fork server", _kill_fork_server, naive=False),
    "api-killed": Fault("SIGKILL of the HTTP server, or of a process of it", _kill_api),
    "worker-stopped": Fault("SIGTERM of a worker", _stop_worker),
    "worker-frozen": Fault(
        "SIGSTOP of a worker, alone or with its processes, for longer than the visibility timeout",
        _freeze_worker,
    ),
    "redis-killed": Fault("SIGKILL of Redis", _kill_redis),
    "redis-frozen": Fault("SIGSTOP of Redis, 1 to 6 s", _freeze_redis),
    "redis-full": Fault("maxmemory lowered to what is used, 1 to 4 s", _fill_redis),
    "link-cut": Fault("all connections to Redis cut, up to five times", _cut),
    "link-refused": Fault("the same, and new ones refused, for up to 3 s", _refuse),
    "link-delayed": Fault("each piece to and from Redis delayed by up to 1.5 s", _delay),
    "link-half-closed": Fault("answers of Redis end, what is sent to it arrives", _half_close),
    "poison": Fault("a dozen messages that cannot be read, pushed on the queue", _poison),
    "model-crashes": Fault("up to three rows that SIGKILL the process that computes", _crash_model),
    "model-hangs": Fault("a row that takes longer than the visibility timeout", _hang_model),
    "model-leaks": Fault(
        "thirty rows of which each leaks 16 MB, with an end at 256 MB", _leak_model
    ),
    "clock-skewed": Fault(
        "a worker starts again with its clock shifted, by up to 1 h", _skew_clock
    ),
}
