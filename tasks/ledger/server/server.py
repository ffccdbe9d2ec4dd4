"""Facts about a Redis server: whether it can keep what was accepted, and how much."""

from collections.abc import Iterator
from typing import Any

import msgspec
import redis


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """One server at one moment; None means that it does not tell."""

    policy: str | None = None
    """``maxmemory-policy``: the server's behaviour when it is full."""
    maxmemory: int = 0
    """Most bytes that it holds; 0 is unlimited."""
    is_cluster: bool = False
    is_replica: bool = False
    keeps_log: bool | None = None
    """Whether it keeps an append-only file."""

    @property
    def refusal(self) -> str | None:
        """Why predictq cannot use the server; None if it can."""
        if self.is_cluster:
            return (
                "it is a Redis Cluster, where a script may not use keys of several slots; "
                "name a single server"
            )
        if self.is_replica:
            return "it is a replica, which accepts no writes; name its primary"
        if self.policy not in (None, "noeviction"):
            return (
                f"its maxmemory-policy is {self.policy}, which evicts accepted predictions; "
                "set maxmemory-policy to noeviction"
            )
        return None

    @property
    def warnings(self) -> Iterator[str]:
        """Risks that the server's operator should know of."""
        if self.policy is None:
            yield (
                "it does not report its maxmemory-policy; unless that is noeviction, it may evict "
                "what was accepted"
            )
        if self.keeps_log is False:
            yield (
                "it has no append-only file, so accepted predictions are lost when it stops; set "
                "appendonly to yes, unless it keeps its data in another way"
            )


def look(client: redis.Redis) -> Server:
    """Read the server's facts with INFO alone: managed services often forbid CONFIG."""
    try:
        told: dict[str, Any] = client.info()
    except redis.exceptions.NoPermissionError:  # a few services forbid INFO as well
        return Server()
    log = told.get("aof_enabled")
    return Server(
        policy=told.get("maxmemory_policy"),
        maxmemory=int(told.get("maxmemory", 0)),
        is_cluster=bool(told.get("cluster_enabled", 0)),
        is_replica=told.get("role") == "slave",  # the word on the wire, of Valkey too
        keeps_log=None if log is None else bool(log),
    )
