"""Reads from Redis what is left of a run, for either design."""

from typing import Any

import msgspec
import redis

from benchmarks.prove.callers.listener import PREFIX
from benchmarks.prove.evidence import Answer
from benchmarks.prove.faults.strikes import POISONED
from tasks.ledger import keys
from tasks.ledger.statistics import collected

_STATES = {"SUCCESS": "succeeded", "FAILURE": "failed", "REVOKED": "cancelled"}


class _Record(msgspec.Struct):
    status: str
    result: Any = None
    state: str = ""
    error: dict[str, Any] | None = None


def read_records(client: redis.Redis) -> dict[str, Answer]:
    """Id → its record in Redis, for either design; predictions only."""
    found: dict[str, Answer] = {}
    foreign = tuple(f"{PREFIX}{start}".encode() for start in ("canary-", POISONED))
    every = client.scan_iter(PREFIX + "*", count=1000)
    names = [name for name in every if not name.startswith(foreign)]
    for start in range(0, len(names), 1000):
        some = names[start : start + 1000]
        for name, text in zip(some, client.mget(some), strict=True):
            found[name.decode().removeprefix(PREFIX)] = _answer(text)
    return found


def _answer(text: Any) -> Answer:
    record = msgspec.json.decode(text, type=_Record)
    state = record.state or _STATES.get(record.status, "open")
    predictions = record.result if state == "succeeded" else None
    return Answer(state, predictions, str((record.error or {}).get("code", "")))


def outcomes_counted(client: redis.Redis) -> int | None:
    """Outcomes that predictq counted, without canaries; None for the naive design."""
    counted = collected(client)
    if not counted:
        return None
    reused = sum(each.reuse.hits + each.reuse.joined for each in counted)
    return reused + sum(count for each in counted for count in each.outcomes.values())


def held_messages(client: redis.Redis) -> bytes:
    """All messages in Redis: waiting, or reserved and not acknowledged."""
    noted: list[Any] = [client.hvals(key) for key in (keys.RESERVED, "unacked")]
    flows = client.scan_iter(keys.FLOW + "*")
    noted += [client.lrange(queue, 0, -1) for queue in ("predict", "celery", *flows)]
    noted += [client.hvals(key) for key in client.scan_iter(keys.JOINED + "*")]
    return b"".join(message for messages in noted for message in messages)
