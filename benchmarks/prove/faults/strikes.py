"""The strikes: each injects a fault, waits, and undoes what does not recover by itself."""

import signal
import time
from contextlib import suppress
from random import Random

import msgspec
import psutil
import redis

from benchmarks.prove.callers.callers import Callers
from benchmarks.prove.system import WORKERS, System
from benchmarks.prove.witness import CRASHES, HANGS, LEAKS

SENDING = 0.5
"""Greatest duration of a submission without faults, in seconds."""
POISONED = "poison"
"""Id of a message that Celery itself refuses; its record is not of a prediction."""
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
    b'{"headers":{"task":"no.such.task","id":"%s"},"properties":{},"body":"W10="}'
    % POISONED.encode(),
    b'{"headers":{"task":"tasks.prediction.predict","id":7},"properties":{},"body":""}',
]


class Target(msgspec.Struct, frozen=True):
    """The system to strike, the random generator, and its timeouts."""

    system: System
    callers: Callers
    chance: Random
    visibility_timeout: float
    queue: str

    def worker(self) -> str:
        """A random worker."""
        return self.chance.choice(WORKERS)


def kill_worker(at: Target) -> None:
    """Kill the process that takes messages, whose children then end; or all at once."""
    name = at.worker()
    for process in at.system.family(name) if at.chance.random() < 0.5 else []:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    at.system.kill(name)


def kill_child(at: Target) -> None:
    _kill_one(at, at.system.computing(at.worker()))


def kill_fork_server(at: Target) -> None:
    _kill_one(at, at.system.family(at.worker())[:1])


def kill_api(at: Target) -> None:
    """Kill the whole API server, or one of its processes."""
    if at.chance.random() < 0.5:
        at.system.kill("api")
    else:
        _kill_one(at, at.system.family("api"))


def stop_worker(at: Target) -> None:
    at.system.signal(at.worker(), signal.SIGTERM)


def freeze_worker(at: Target) -> None:
    """Freeze the process that takes messages, alone or with its pool."""
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


def kill_deliverer(at: Target) -> None:
    at.system.kill("webhooks")


def kill_redis(at: Target) -> None:
    at.system.kill("redis")


def freeze_redis(at: Target) -> None:
    at.system.signal("redis", signal.SIGSTOP)
    time.sleep(at.chance.uniform(1, 6))
    at.system.signal("redis", signal.SIGCONT)


def fill_redis(at: Target) -> None:
    with suppress(redis.RedisError), at.system.redis() as client:
        client.config_set("maxmemory", client.info("memory")["used_memory"])
        time.sleep(at.chance.uniform(1, 4))
    at.system.heal()


def cut(at: Target) -> None:
    for _ in range(at.chance.randint(1, 5)):
        at.system.proxy.cut()
        time.sleep(at.chance.uniform(0, 0.3))


def refuse(at: Target) -> None:
    at.system.proxy.refusing = True
    at.system.proxy.cut()
    time.sleep(at.chance.uniform(0.5, 3))
    at.system.proxy.heal()


def delay(at: Target) -> None:
    at.system.proxy.delay = at.chance.uniform(0.05, 1.5)
    time.sleep(at.chance.uniform(1, 4))
    at.system.proxy.heal()


def half_close(at: Target) -> None:
    at.system.proxy.half_close()
    time.sleep(at.chance.uniform(0.2, 2))
    at.system.proxy.heal()


def poison(at: Target) -> None:
    with suppress(redis.RedisError), at.system.redis() as client:
        client.lpush(at.queue, *at.chance.sample(POISONS, len(POISONS)))


def crash_model(at: Target) -> None:
    _ask(at, *[(CRASHES, 0.0)] * at.chance.randint(1, 3))


def hang_model(at: Target) -> None:
    seconds = at.visibility_timeout * at.chance.uniform(1.5, 2.5)
    _ask(at, (HANGS, seconds))


def leak_model(at: Target) -> None:
    _ask(at, *[(LEAKS, 0.0)] * 30)


def skew_clock(at: Target) -> None:
    at.system.skew("second", at.chance.choice([-3600, -60, -5, 5, 60, 3600]))
    at.system.signal("second", signal.SIGTERM)


def _ask(at: Target, *mischief: tuple[int, float]) -> None:
    """Make the next requests misbehave in these ways."""
    at.callers.mischief.extend(mischief)
    while at.callers.mischief and at.callers.is_submitting:
        time.sleep(0.05)
    time.sleep(SENDING)


def _kill_one(at: Target, family: list[psutil.Process]) -> None:
    if family:
        with suppress(psutil.NoSuchProcess):
            at.chance.choice(family).kill()
