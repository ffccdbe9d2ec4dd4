"""Checks of Redis: version, settings, log, memory, latency and clock."""

import statistics
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import redis

from cli.doctor.finding import Check, Finding, Observation, finding_of, graded
from stack.redis.binary import find_binary, is_flawed, is_flawed_release, version_output
from stack.redis.binary import version as version_number
from stack.redis.server import PING_TIMEOUT, connection_problem
from tasks.ledger.ledger import connect
from tasks.ledger.server.server import look

PINGS = 20
SLOW_PING, VERY_SLOW_PING = 0.005, 0.1
"""Seconds, as the median of some pings."""
FULL, ALMOST_FULL = 0.95, 0.8
"""Shares of ``maxmemory``."""
SKEW, LARGE_SKEW = 0.5, 5.0
"""Seconds between our clock and Redis's; deadlines are set by one and checked by the other."""
FLAW = "has known flaws (CVE-2025-49844), unless your distribution patched them"
NEWER = "Install a newer redis-server or valkey-server, and start the stack again."
_SETTINGS = "docs/operations.md#what-survives-what"
_SERVER = "docs/operations.md#redis"


def findings_of_redis(url: str) -> Iterator[Finding]:
    """Check the Redis at this URL; the other checks are left out if it does not answer."""
    first = finding_of(Check("redis", "docs/runbooks/redis-down.md", partial(_answers, url)))
    yield first
    if first.level == "pass":
        with connect(url, PING_TIMEOUT) as client:
            yield from map(finding_of, _checks(client))


def finding_of_binary() -> Finding:
    """Check the server that `up` would start."""
    return finding_of(Check("redis version", _SERVER, _binary))


def _checks(client: redis.Redis) -> list[Check]:
    return [
        Check("redis version", _SERVER, partial(_version, client)),
        Check("redis settings", _SETTINGS, partial(_settings, client)),
        Check("redis log", _SETTINGS, partial(_log, client)),
        Check("redis memory", "docs/runbooks/redis-memory.md", partial(_memory, client)),
        Check("redis latency", _SETTINGS, partial(_latency, client)),
        Check("redis clock", "docs/runbooks/clock-skew.md", partial(_clock, client)),
    ]


def _told(client: redis.Redis) -> dict[str, Any]:
    """The answer of INFO; empty where a managed service forbids it."""
    try:
        told: dict[str, Any] = client.info()
    except redis.exceptions.NoPermissionError:
        return {}
    return told


def _answers(url: str) -> Observation:
    if reason := connection_problem(url):
        remedy = "Read logs/redis.log in the home, or correct REDIS_URL if that is set."
        return Observation("fail", f"does not answer: {reason}", remedy)
    return Observation("pass", "answers")


def _version(client: redis.Redis) -> Observation:
    told = _told(client)
    is_valkey = "valkey_version" in told
    name = "valkey" if is_valkey else "redis"
    number = str(told.get("valkey_version" if is_valkey else "redis_version", "unknown version"))
    if is_flawed_release(name, number):
        return Observation("warn", f"{name} {number} {FLAW}", NEWER)
    return Observation("pass", f"{name} {number}")


def _binary() -> Observation:
    found = find_binary()
    told = version_output(found)
    what = f"`up` would start {found.name} {version_number(told)}"
    if is_flawed(told):
        return Observation("warn", f"{what}, which {FLAW}", NEWER)
    return Observation("pass", what)


def _settings(client: redis.Redis) -> Observation:
    server = look(client)
    remedy = "Set maxmemory-policy to noeviction and appendonly to yes on a single primary."
    if server.refusal:
        return Observation("fail", server.refusal, remedy)
    if warnings := list(server.warnings):
        return Observation("warn", "; ".join(warnings), remedy)
    return Observation("pass", "a primary that evicts nothing and keeps an append-only file")


def _log(client: redis.Redis) -> Observation:
    told = _told(client)
    states = {f: told.get(f"aof_{f}_status", "ok") for f in ("last_write", "last_bgrewrite")}
    if broken := [f"{name.replace('_', ' ')}: {s}" for name, s in states.items() if s != "ok"]:
        remedy = "Make space on the disk of Redis, and read its log."
        return Observation("fail", f"was not written ({', '.join(broken)})", remedy)
    sync = _sync_setting(client)
    if sync not in ("always", "unknown"):
        remedy = "Set appendfsync to always if no accepted prediction may be lost at a power loss."
        return Observation("warn", f"is written, with appendfsync {sync}", remedy)
    return Observation("pass", f"is written, with appendfsync {sync}")


def _sync_setting(client: redis.Redis) -> str:
    """The value of ``appendfsync``; managed services often forbid CONFIG."""
    try:
        found: dict[str, str] = client.config_get("appendfsync")  # type: ignore[assignment]  # no async
    except redis.ResponseError:
        return "unknown"
    return found.get("appendfsync", "unknown")


def _memory(client: redis.Redis) -> Observation:
    told = _told(client)
    used, most = int(told.get("used_memory", 0)), int(told.get("maxmemory", 0))
    if not most:
        remedy = "Set maxmemory: a full Redis then refuses submissions instead of being killed."
        return Observation("warn", f"{used / 2**20:,.0f} MiB used, without a limit", remedy)
    remedy = "Wait until outcomes expire, lower PREDICTQ_RESULT_TTL, or raise maxmemory."
    level = graded(used / most, warn=ALMOST_FULL, fail=FULL)
    return Observation(level, f"{used / 2**20:,.0f} of {most / 2**20:,.0f} MiB used", remedy)


def _latency(client: redis.Redis) -> Observation:
    times = sorted(_timed_ping(client) for _ in range(PINGS))
    median = statistics.median(times)
    text = f"{median * 1000:.2f} ms for a round trip, {times[-1] * 1000:.2f} ms at most"
    remedy = "Move Redis nearer, or find what keeps it busy with `redis-cli latency latest`."
    return Observation(graded(median, warn=SLOW_PING, fail=VERY_SLOW_PING), text, remedy)


def _timed_ping(client: redis.Redis) -> float:
    started = time.perf_counter()
    client.ping()
    return time.perf_counter() - started


def _clock(client: redis.Redis) -> Observation:
    before = time.time()
    seconds, microseconds = client.time()
    # The answer was made between the two readings, so only what lies outside of them is skew.
    after, theirs = time.time(), seconds + microseconds / 1e6
    skew = max(before - theirs, theirs - after, 0.0)
    remedy = "Synchronize the clocks of this machine and of Redis's, for example with chrony."
    return Observation(
        graded(skew, warn=SKEW, fail=LARGE_SKEW), f"{skew:.3f} s apart from ours", remedy
    )
