"""A Redis that refuses commands, once for each of Redis's error codes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import redis

from stack.redis import socket as redis_socket
from tasks.ledger.ledger import connect
from tests.support.stack import until

Refusing = Callable[[redis.Redis], AbstractContextManager[None]]


@contextmanager
def configured(client: redis.Redis, name: str, value: str | int) -> Iterator[None]:
    before = client.config_get(name)[name]
    client.config_set(name, value)
    try:
        yield
    finally:
        client.config_set(name, before)


@contextmanager
def demoted(client: redis.Redis) -> Iterator[None]:
    """READONLY: a replica of an absent server, as an old primary may be."""
    client.slaveof("127.0.0.1", 1)
    try:
        yield
    finally:
        client.slaveof()


@contextmanager
def cut_off(client: redis.Redis) -> Iterator[None]:
    """MASTERDOWN: a replica of an absent server that also refuses to read."""
    with configured(client, "replica-serve-stale-data", "no"), demoted(client):
        yield


@contextmanager
def busy(client: redis.Redis) -> Iterator[None]:
    """BUSY: a script of another client does not end."""
    endless = connect(url_of(client), timeout=30)
    script = threading.Thread(target=run_until_killed, args=(endless,))
    with configured(client, "lua-time-limit", 1):
        script.start()
        until(lambda: is_busy(client), "a script that does not end")
        try:
            yield
        finally:
            client.script_kill()
            script.join()


def run_until_killed(client: redis.Redis) -> None:
    with pytest.raises(redis.ResponseError, match="killed"):
        client.eval("while true do end", 0)


def is_busy(client: redis.Redis) -> bool:
    try:
        return not client.ping()
    except redis.ResponseError:
        return True


def alone(client: redis.Redis) -> AbstractContextManager[None]:
    """NOREPLICAS: writing needs a replica, and there is none."""
    return configured(client, "min-replicas-to-write", 1)


def full(client: redis.Redis) -> AbstractContextManager[None]:
    """OOM: it is above its maxmemory."""
    return configured(client, "maxmemory", 1)


@contextmanager
def unsaved(client: redis.Redis) -> Iterator[None]:
    """MISCONF: the last snapshot failed, since a directory lies in the file's place."""
    settings = client.config_get("d*")
    snapshot = Path(settings["dir"], settings["dbfilename"])
    snapshot.unlink(missing_ok=True)
    snapshot.mkdir()
    with configured(client, "save", "3600 1"):
        save(client, "err")
        try:
            yield
        finally:
            snapshot.rmdir()
            save(client, "ok")


def save(client: redis.Redis, status: str) -> None:
    """Write a snapshot and wait until it ends with this status."""
    client.bgsave()
    until(lambda: is_saved(client.info("persistence"), status), f"a snapshot that is {status}")


def is_saved(told: dict[str, object], status: str) -> bool:
    return not told["rdb_bgsave_in_progress"] and told["rdb_last_bgsave_status"] == status


def url_of(client: redis.Redis) -> str:
    return redis_socket.url(client.connection_pool.connection_kwargs["path"])
