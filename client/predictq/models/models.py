"""The registry of a server: aliases, history, removals, downloads."""

import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from os import PathLike
from typing import Any
from urllib.parse import urlencode

from predictq import arguments
from predictq.arguments import count, flag, part, seconds, setting, text
from predictq.errors import ModelRefused, WaitTimeout
from predictq.http import wire
from predictq.http.connection import Connection
from predictq.http.downloads import download
from predictq.http.retries import Deadline
from predictq.models.causes import cause
from predictq.models.files import form_fields, open_files
from predictq.models.rollouts import Rollouts

Json = dict[str, Any]
Meaning = int | Mapping[int, int]
"""A version, or the percent of each version of a split."""
REGISTRATION_POLL = 0.5
"""Seconds between two looks at a registration."""
STILL_WAITING = "workers still load or unload {0}; client.models.status says which hold it"
STILL_CHECKING = "{0} is still checked; client.models.show says what became of it"


class Models:
    """The registry of one server; `Client.models` is one, and calling it lists the models.

    Every change needs the local key, which the client reads where the stack is one of this user on
    this machine; else `InvalidRequest` is raised. ``why`` is kept in the model's history, with the
    name of this user. The methods raise the same errors as those of `Client`.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.rollouts = Rollouts(connection)

    def __call__(self) -> list[Json]:
        """Every registered model, as in `GET /models`."""
        return wire.read_list(self._connection.send("GET", "models"), "models")

    def show(self, name: str, version: int | None = None) -> Json:
        """One model with its versions, or one of its versions."""
        return self._ask("GET", _path(name) if version is None else _version(name, version))

    def status(self) -> Json:
        """How each version is served, and what is being checked, as in `GET /models/status`."""
        return self._ask("GET", "models/status")

    def register(
        self,
        name: str,
        model: Any,
        *,
        sample: Any = None,
        alias: str | None = None,
        trust: bool = False,
        timeout: float | None = None,
        idempotency_key: str | None = None,
        **fields: Any,
    ) -> Json:
        """Upload a model and wait until the server's gate has decided; returns what it says.

        ``model``: a path, or a fitted estimator, which is saved as skops if that can express it,
        else as joblib, for which the server must trust uploads. ``sample``: rows of its data, as a
        data frame, a path, or any rows. ``alias``: an alias for the version, once it is ready.
        ``fields``: ``metadata``, ``requirements``, ``version``, ``exact``, ``classes``,
        ``max_queue_seconds``, ``timeout_seconds``, ``why``.

        Raises `ModelRefused`, or `WaitTimeout` if nothing is decided after ``timeout`` seconds, the
        client's by default.
        """
        until = self._connection.deadline(None if timeout is None else seconds("timeout", timeout))
        said = form_fields(fields) | cause(fields.get("why", ""))
        said |= {"alias": alias} if alias else {}
        key = uuid.uuid4().hex if idempotency_key is None else arguments.key(idempotency_key)
        with ExitStack() as opened:
            files, needs_trust = open_files(opened, model, sample)
            if trust or needs_trust:
                said["trust"] = "true"
            path = f"{_path(name)}/versions"
            options = {"key": key, "hold": until, "until": until}
            answer = wire.content(self._connection.upload(path, said, files, **options))
        return self._decided(answer, until)

    def _decided(self, state: Json, until: Deadline) -> Json:
        """Follow a registration until its gate has decided."""
        name, version = state["model"], state["version"]
        while state["status"] == "checking":
            if not until.left():
                raise WaitTimeout(f"{name}:{version}", STILL_CHECKING)
            until.clock.sleep(min(REGISTRATION_POLL, until.left()))
            state = self.show(name, version)
        if state["status"] == "refused":
            raise ModelRefused(name, version, state["code"], state["reason"])
        return {"model": name} | state

    def set_alias(
        self,
        name: str,
        alias: str,
        version: Meaning,
        *,
        expected: Meaning | None = None,
        why: str = "",
    ) -> Json:
        """Point an alias to a version, or split it: ``{3: 90, 4: 10}`` are percents by version.

        ``expected``: what it must mean now, 0 for no such alias; raises `Conflict` if it means
        something else.
        """
        body = cause(why) | {"version": _meaning("version", version)} | _expected(expected)
        return self._ask("PUT", f"{_path(name)}/aliases/{part('alias', alias)}", body)

    def remove_alias(
        self, name: str, alias: str, *, expected: int | None = None, why: str = ""
    ) -> Json:
        """Delete an alias; the version stays. ``expected`` as in `set_alias`, but never 0."""
        query = urlencode(cause(why) | _expected(expected))
        return self._ask("DELETE", f"{_path(name)}/aliases/{part('alias', alias)}?{query}")

    def rollback(
        self,
        name: str,
        alias: str = "production",
        *,
        expected: Meaning | None = None,
        why: str = "",
    ) -> Json:
        """Return an alias to what it meant before; ``expected`` as in `set_alias`."""
        body = cause(why) | {"alias": text("alias", alias)} | _expected(expected)
        return self._ask("POST", f"{_path(name)}/rollback", body)

    def set_cache(self, name: str, cache: bool | int) -> Json:
        """Set whether an answer of a model is reused for the same rows.

        ``cache``: True for as long as it is worth by what it cost, or for how many seconds.
        """
        return self._ask("PUT", f"{_path(name)}/cache", {"cache": setting("cache", cache)})

    def history(
        self, name: str, *, limit: int = 100, after: int | None = None, at: str | None = None
    ) -> Json:
        """The changes of a model, newest first, and what its aliases meant ``at`` a time.

        ``after``: only changes older than the one with this id. ``at``: as in RFC 3339.
        """
        given = {"limit": count("limit", limit), "after": after, "at": at}
        query = urlencode({name: value for name, value in given.items() if value is not None})
        return self._ask("GET", f"{_path(name)}/history?{query}")

    def load(self, name: str, version: int, *, timeout: float | None = None) -> Json:
        """Have every worker load a version, and return once all have.

        Raises `WaitTimeout` if one has not after ``timeout`` seconds, the client's by default, and
        `ProblemError` if one cannot load it.
        """
        return self._told_workers(name, version, "load", timeout)

    def unload(self, name: str, version: int, *, timeout: float | None = None) -> Json:
        """Have every worker forget a version, as `load`; the next prediction loads it again."""
        return self._told_workers(name, version, "unload", timeout)

    def _told_workers(self, name: str, version: int, act: str, timeout: float | None) -> Json:
        until = self._connection.deadline(None if timeout is None else seconds("timeout", timeout))
        while (state := self._ask("POST", f"{_version(name, version)}/{act}"))["waiting_for"]:
            if not until.left():
                raise WaitTimeout(f"{name}:{version}", STILL_WAITING)
        return state

    def remove(
        self, name: str, version: int | None = None, *, force: bool = False, why: str = ""
    ) -> Json:
        """Remove a version, or all of them.

        Raises `Conflict` without ``force`` if an alias points there.
        """
        path = _path(name) if version is None else _version(name, version)
        forced = {"force": "true"} if flag("force", force) else {}
        return self._ask("DELETE", f"{path}?{urlencode(cause(why) | forced)}")

    def keep_latest(self, name: str, many: int, *, why: str = "") -> Json:
        """Remove all versions but the newest ones and those that an alias points to."""
        body = cause(why) | {"count": count("many", many)}
        return self._ask("POST", f"{_path(name)}/keep-latest", body)

    def download(self, name: str, version: int, target: str | PathLike[str]) -> None:
        """Download the artifact to a file, atomically: it is complete or absent."""
        download(self._connection, f"{_version(name, version)}/artifact", target)

    def sample(self, name: str, version: int) -> Json:
        """The first rows of the sample that a version was registered with, and their answers."""
        return self._ask("GET", f"{_version(name, version)}/sample")

    def quality(self, name: str, version: int, *, days: int = 30) -> Json:
        """How good a version is, day by day, by what came true; see `Client.label`."""
        return self._ask("GET", f"{_version(name, version)}/quality?days={count('days', days)}")

    def drift(self, name: str, version: int | None = None, *, hours: int = 24) -> Json:
        """The drift of the rows and answers of a version from its sample, in the last hours.

        ``version``: by default the one that ``production`` means, else the latest.
        """
        query = {"hours": count("hours", hours)}
        query |= {} if version is None else {"version": count("version", version)}
        return self._ask("GET", f"{_path(name)}/drift?{urlencode(query)}")

    def _ask(self, method: str, path: str, body: Json | None = None) -> Json:
        return wire.content(self._connection.send(method, path, body=body))


def _path(name: str) -> str:
    return f"models/{part('name', name)}"


def _version(name: str, version: int) -> str:
    return f"{_path(name)}/versions/{count('version', version)}"


def _expected(expected: Meaning | None) -> Json:
    if expected is None:
        return {}
    return {"expected": _meaning("expected", expected) or None}


def _meaning(argument: str, given: Meaning) -> int | dict[str, int]:
    if not isinstance(given, Mapping):
        return count(argument, given)
    return {
        str(count(argument, version)): count(argument, share) for version, share in given.items()
    }
