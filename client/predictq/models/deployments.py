"""The deployments of a server: queues and workers that aliases have of their own."""

from typing import Any
from urllib.parse import urlencode

from predictq.arguments import count, part, text
from predictq.http import wire
from predictq.http.connection import Connection
from predictq.models.causes import cause
from predictq.models.models import Json

PRODUCTION = "production"


class Deployments:
    """The deployments of one server; `Client.deployments` is one, and calling it lists them.

    Changes need the local key, as those of `Models`. Each answer says how far the deployment is.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __call__(self) -> list[Json]:
        """Every deployment, as in `GET /deployments`."""
        return wire.read_list(self._connection.send("GET", "deployments"), "deployments")

    def deploy(
        self,
        name: str,
        version: int | None = None,
        environment: str = PRODUCTION,
        *,
        why: str = "",
        **limits: Any,
    ) -> Json:
        """Point an alias to a version, and give it workers of its own.

        ``version``: by default the one that the alias means, or the latest. ``limits``:
        ``concurrency``, ``memory_limit``, ``cpu_limit``, ``timeout``, ``when_stopped``; those that
        are left out stay as they are.
        """
        given = {} if version is None else {"version": count("version", version)}
        body = limits | given | {"environment": text("environment", environment)} | cause(why)
        return self._ask("POST", f"models/{part('name', name)}/deployments", body)

    def show(self, name: str, environment: str = PRODUCTION) -> Json:
        """One deployment."""
        return self._ask("GET", _path(name, environment))

    def scale(
        self, name: str, environment: str = PRODUCTION, *, why: str = "", **limits: Any
    ) -> Json:
        """Change limits, as those of `deploy`."""
        return self._ask("PATCH", _path(name, environment), limits | cause(why))

    def stop(self, name: str, environment: str = PRODUCTION, *, why: str = "") -> Json:
        """End its workers; what is accepted stays in its queue."""
        return self._ask("POST", f"{_path(name, environment)}/stop", cause(why))

    def start(self, name: str, environment: str = PRODUCTION, *, why: str = "") -> Json:
        """Start its workers again."""
        return self._ask("POST", f"{_path(name, environment)}/start", cause(why))

    def delete(self, name: str, environment: str = PRODUCTION, *, why: str = "") -> None:
        """Delete it; the alias stays, and the shared workers answer for it."""
        self._connection.send("DELETE", f"{_path(name, environment)}?{urlencode(cause(why))}")

    def _ask(self, method: str, path: str, body: Json | None = None) -> Json:
        return wire.content(self._connection.send(method, path, body=body))


def _path(name: str, environment: str) -> str:
    return f"models/{part('name', name)}/deployments/{part('environment', environment)}"
