"""The API keys of a server: create, list, show, rotate, revoke."""

from collections.abc import Iterable
from typing import Any

from predictq.arguments import part, seconds
from predictq.http import wire
from predictq.http.connection import Connection

Json = dict[str, Any]


class Keys:
    """The API keys of one server; `Client.keys` is one, and calling it lists them.

    Every call needs a key with the scope ``admin``; the local key has it. The methods raise the
    same errors as those of `Client`.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __call__(self) -> list[Json]:
        """Every key without its secret, the oldest first."""
        return wire.read_list(self._connection.send("GET", "keys"), "keys")

    def create(self, name: str, scopes: Iterable[str], **limits: Any) -> Json:
        """Make a key; ``token`` in the answer is the key itself, which is shown only here.

        ``scopes``: scopes or roles. ``limits``: ``tenant``, ``models``, ``rate``, ``rows``,
        ``in_flight``, ``weight``, ``expires_seconds``, ``networks``, as in `POST /keys`. Raises
        `Conflict` if an active key has this name.
        """
        return self._ask("POST", "keys", {"name": name, "scopes": list(scopes), **limits})

    def show(self, key: str) -> Json:
        """One key, by its id or name."""
        return self._ask("GET", f"keys/{part('key', key)}")

    def rotate(self, key: str, *, overlap: float = 86_400) -> Json:
        """Give a key a new secret; the one before works for ``overlap`` seconds more."""
        body = {"overlap_seconds": seconds("overlap", overlap)}
        return self._ask("POST", f"keys/{part('key', key)}/rotate", body)

    def revoke(self, key: str) -> Json:
        """End a key; within 5 s the server takes it no more."""
        return self._ask("DELETE", f"keys/{part('key', key)}")

    def _ask(self, method: str, path: str, body: Any = None) -> Json:
        return wire.content(self._connection.send(method, path, body=body))
