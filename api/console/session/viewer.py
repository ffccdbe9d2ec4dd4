"""The viewer of the current request: signed in or not, and what may change something."""

from flask import Request, request

from api.callers.access import SAFE_METHODS
from api.callers.current import current_caller
from api.callers.seeing import require_every_model
from tasks.callers.caller import VIEWER
from telemetry.errors import CrossSite, Forbidden

CONSOLE_PATH = "/console"


def is_signed_in() -> bool:
    """Whether the current request has a session."""
    return current_caller(request) == VIEWER


def check_viewer() -> None:
    """Let only signed-in viewers change something, from a page of this server.

    Raises `CrossSite`, and `Forbidden`, also for a key that does not see every model.
    """
    require_every_model(current_caller(request))
    if request.method in SAFE_METHODS:
        return
    refuse_foreign_pages(request)
    if request.endpoint != "console.sign_in" and not is_signed_in():
        raise Forbidden("sign in to make changes: `predictq console` prints the address to sign in")


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
