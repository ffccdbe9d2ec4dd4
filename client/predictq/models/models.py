"""The registry of a server: aliases, history, removals, downloads."""

import getpass
from os import PathLike
from typing import Any
from urllib.parse import urlencode

from predictq.arguments import count, flag, part, text
from predictq.http import wire
from predictq.http.connection import Connection
from predictq.http.downloads import download

Json = dict[str, Any]


class Models:
    """The registry of one server; `Client.models` is one, and calling it lists the models.

    Every change needs the local key, which the client reads where the stack is one of this user on
    this machine; else `InvalidRequest` is raised. ``why`` is kept in the model's history, with the
    name of this user. The methods raise the same errors as those of `Client`.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __call__(self) -> list[Json]:
        """Every registered model, as in `GET /models`."""
        return wire.listing(self._connection.send("GET", "models"), "models")

    def show(self, name: str, version: int | None = None) -> Json:
        """One model with its versions, or one of its versions."""
        return self._ask("GET", _path(name) if version is None else _version(name, version))

    def set_alias(
        self, name: str, alias: str, version: int, *, expected: int | None = None, why: str = ""
    ) -> Json:
        """Point an alias to a version.

        ``expected``: the version that it must mean now, 0 for no such alias; raises `Conflict` if
        it means another one.
        """
        body = _cause(why) | {"version": count("version", version)} | _expected(expected)
        return self._ask("PUT", f"{_path(name)}/aliases/{part('alias', alias)}", body)

    def remove_alias(
        self, name: str, alias: str, *, expected: int | None = None, why: str = ""
    ) -> Json:
        """Delete an alias; the version stays. ``expected`` as in `set_alias`, but never 0."""
        query = urlencode(_cause(why) | _expected(expected))
        return self._ask("DELETE", f"{_path(name)}/aliases/{part('alias', alias)}?{query}")

    def rollback(
        self, name: str, alias: str = "production", *, expected: int | None = None, why: str = ""
    ) -> Json:
        """Point an alias to the version that it meant before; ``expected`` as in `set_alias`."""
        body = _cause(why) | {"alias": text("alias", alias)} | _expected(expected)
        return self._ask("POST", f"{_path(name)}/rollback", body)

    def history(
        self, name: str, *, limit: int = 100, after: int | None = None, at: str | None = None
    ) -> Json:
        """The changes of a model, newest first, and what its aliases meant ``at`` a time.

        ``after``: only changes older than the one with this id. ``at``: as in RFC 3339.
        """
        given = {"limit": count("limit", limit), "after": after, "at": at}
        query = urlencode({name: value for name, value in given.items() if value is not None})
        return self._ask("GET", f"{_path(name)}/history?{query}")

    def remove(
        self, name: str, version: int | None = None, *, force: bool = False, why: str = ""
    ) -> Json:
        """Remove a version, or all of them.

        Raises `Conflict` without ``force`` if an alias points there.
        """
        path = _path(name) if version is None else _version(name, version)
        forced = {"force": "true"} if flag("force", force) else {}
        return self._ask("DELETE", f"{path}?{urlencode(_cause(why) | forced)}")

    def keep_latest(self, name: str, many: int, *, why: str = "") -> Json:
        """Remove all versions but the newest ones and those that an alias points to."""
        body = _cause(why) | {"count": count("many", many)}
        return self._ask("POST", f"{_path(name)}/keep-latest", body)

    def download(self, name: str, version: int, target: str | PathLike[str]) -> None:
        """Download the artifact to a file, atomically: it is complete or absent."""
        download(self._connection, f"{_version(name, version)}/artifact", target)

    def sample(self, name: str, version: int) -> Json:
        """The first rows of the sample that a version was registered with, and their answers."""
        return self._ask("GET", f"{_version(name, version)}/sample")

    def _ask(self, method: str, path: str, body: Json | None = None) -> Json:
        return wire.content(self._connection.send(method, path, body=body))


def _path(name: str) -> str:
    return f"models/{part('name', name)}"


def _version(name: str, version: int) -> str:
    return f"{_path(name)}/versions/{count('version', version)}"


def _cause(why: str) -> Json:
    try:
        by = {"by": getpass.getuser()}
    except (KeyError, OSError):  # the account has no name
        by = {}
    return by | {"why": text("why", why)}


def _expected(expected: int | None) -> Json:
    if expected is None:
        return {}
    return {"expected": count("expected", expected) or None}
