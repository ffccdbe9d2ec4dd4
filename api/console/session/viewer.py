"""The viewer of the current request: signed in or not, and what may change something."""

import redis
from flask import Request, g, request

from api.asgi.request_filter import SAFE_METHODS
from api.console.session.sessions import Sessions
from api.http.rights import ANYONE, OWNER, Caller
from telemetry.errors import CrossSite, Forbidden

COOKIE = "predictq_console"
PATH = "/console"


class Viewer:
    """Tells whether the viewer is signed in; a session stands for the local key."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def is_signed_in(self) -> bool:
        """Whether the current request has a session; without Redis it has none."""
        if "is_signed_in" not in g:
            try:
                g.is_signed_in = self._sessions.is_valid(request.cookies.get(COOKIE))
            except redis.RedisError:
                g.is_signed_in = False
        return bool(g.is_signed_in)

    def caller(self, request: Request) -> Caller:
        """The caller that the session stands for."""
        return OWNER if self.is_signed_in() else ANYONE

    def check(self) -> None:
        """Let only signed-in viewers change something, from a page of this server.

        Raises `CrossSite` or `Forbidden`.
        """
        if request.method in SAFE_METHODS:
            return
        refuse_foreign_pages(request)
        if request.endpoint != "console.sign_in" and not self.is_signed_in():
            raise Forbidden("sign in to act: `predictq console` prints an address for that")


def refuse_foreign_pages(request: Request) -> None:
    """Raise `CrossSite` unless the request comes from a page of this very host and port.

    `RequestFilter` lets programs pass, which send no `Origin`. A cookie is sent by browsers only,
    and cookies do not tell ports apart, so here the origin must be shown.
    """
    origin = request.headers.get("Origin")
    if origin is None:
        is_own = request.headers.get("Sec-Fetch-Site") == "same-origin"
    else:
        is_own = origin.lower().partition("://")[2] == request.headers.get("Host", "").lower()
    if not is_own:
        raise CrossSite
