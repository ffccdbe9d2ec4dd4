"""Rollouts of a server: an alias is moved to another version in steps."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from predictq.arguments import count, flag, number, part, seconds, text
from predictq.http import wire
from predictq.http.connection import Connection
from predictq.models.causes import cause

Json = dict[str, Any]


class Rollouts:
    """The rollouts of one server; `Client.models.rollouts` is one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __call__(self, name: str) -> list[Json]:
        """The rollouts of a model, newest first."""
        return wire.read_list(self._connection.send("GET", _path(name)), "rollouts")

    def show(self, name: str, id: int) -> Json:
        """One rollout."""
        return self._ask("GET", f"{_path(name)}/{count('id', id)}")

    def start(
        self,
        name: str,
        version: int,
        *,
        alias: str = "production",
        steps: Sequence[int] = (10, 50, 100),
        every_seconds: float = 600.0,
        requests: int = 100,
        max_failed: float | None = None,
        again: bool = False,
        why: str = "",
    ) -> Json:
        """Move an alias to a version in steps: the percents of the requests that it gets.

        ``requests``: predictions that the version must answer at each step. ``max_failed``: percent
        of them that may fail; by default no more than of the version before.
        ``again``: also if the version was rolled back before. Raises `Conflict` otherwise, and if
        the alias is being moved already.
        """
        body = cause(why) | {
            "version": count("version", version),
            "alias": text("alias", alias),
            "steps": [count("steps", step) for step in steps],
            "every_seconds": seconds("every_seconds", every_seconds),
            "requests": count("requests", requests),
            "max_failed": None if max_failed is None else number("max_failed", max_failed),
            "again": flag("again", again),
        }
        return self._ask("POST", _path(name), body)

    def pause(self, name: str, id: int, *, why: str = "") -> Json:
        """Begin no further step until it is resumed."""
        return self._change(name, id, "pause", why)

    def resume(self, name: str, id: int, *, why: str = "") -> Json:
        """Continue after a pause."""
        return self._change(name, id, "resume", why)

    def abort(self, name: str, id: int, *, why: str = "") -> Json:
        """End it: the alias means what it did before."""
        return self._change(name, id, "abort", why)

    def comparison(self, name: str, alias: str = "production") -> Json:
        """The versions of a split alias, compared: what was counted, and the verdict."""
        query = urlencode({"alias": text("alias", alias)})
        return self._ask("GET", f"models/{part('name', name)}/comparison?{query}")

    def shadow(self, name: str, alias: str = "production") -> Json:
        """The shadow of an alias, and how its answers agree; raises `NotFound` without one."""
        query = urlencode({"alias": text("alias", alias)})
        return self._ask("GET", f"models/{part('name', name)}/shadow?{query}")

    def set_shadow(
        self,
        name: str,
        version: int,
        *,
        rate: float = 10.0,
        alias: str = "production",
        tolerance: float = 0.01,
        why: str = "",
    ) -> Json:
        """Copy a share of an alias's predictions to a version, and compare the answers.

        ``rate``: percent. ``tolerance``: by how much numbers may differ, as a part of the greater.
        """
        body = cause(why) | {
            "version": count("version", version),
            "rate": number("rate", rate),
            "alias": text("alias", alias),
            "tolerance": number("tolerance", tolerance),
        }
        return self._ask("PUT", f"models/{part('name', name)}/shadow", body)

    def stop_shadow(self, name: str, alias: str = "production", *, why: str = "") -> Json:
        """Make no more copies; returns what was compared."""
        query = urlencode({"alias": text("alias", alias)} | cause(why))
        return self._ask("DELETE", f"models/{part('name', name)}/shadow?{query}")

    def disagreements(self, name: str, alias: str = "production") -> list[Json]:
        """Rows for which the answers of a shadow differ; needs a key with the scope `operate`."""
        query = urlencode({"alias": text("alias", alias)})
        answer = self._connection.send(
            "GET", f"models/{part('name', name)}/shadow/examples?{query}"
        )
        return wire.read_list(answer, "examples")

    def _change(self, name: str, id: int, act: str, why: str) -> Json:
        return self._ask("POST", f"{_path(name)}/{count('id', id)}/{act}", cause(why))

    def _ask(self, method: str, path: str, body: Json | None = None) -> Json:
        return wire.content(self._connection.send(method, path, body=body))


def _path(name: str) -> str:
    return f"models/{part('name', name)}/rollouts"
