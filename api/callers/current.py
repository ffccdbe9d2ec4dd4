"""The caller of the current request, as `api.asgi.admission` has put it into the scope."""

import re
from typing import Any

from flask import Flask, Request, request

from api.callers.access import Access, access_of_route
from api.callers.seeing import check_seen
from tasks.callers.caller import UNKNOWN_CALLER, Caller
from tasks.callers.scopes import Scope
from telemetry.errors import Forbidden, KeyMissing, PredictqError

CALLER = "predictq.caller"
"""Key in an ASGI scope, and in the environment of WSGI: the `Caller`."""
_of_model = re.compile(r"/(?:models|try|delete_model|stop_deployment)/<(?:\w+:)?(\w+)>")
"""The parameter of a rule that names a model, perhaps with an alias or a version."""
PAGES = "console"
"""The blueprint of the pages: it answers a refusal with a page that says how to sign in."""
WHERE = "`Authorization: Bearer <key>`"


def caller_in(scope: Any) -> Caller:
    """The caller in an ASGI scope; where none was admitted, one without any scope."""
    found: Caller = scope.get(CALLER, UNKNOWN_CALLER)
    return found


def current_caller(request: Request) -> Caller:
    """The caller of a request to Flask."""
    return caller_in(request.environ)


def require_scope(caller: Caller, needed: Scope) -> None:
    """Raise `KeyMissing` or `Forbidden`, which name the scope, unless the caller has it."""
    if not caller.may(needed):
        raise missing_scope(caller, needed)


def missing_scope(caller: Caller, needed: Scope) -> PredictqError:
    """The error for a caller without this scope."""
    if caller.key:
        return Forbidden(
            f"the caller {caller.name!r} lacks the scope `{needed}`, which this request needs"
        )
    return KeyMissing(
        f"this request needs a key with the scope `{needed}`, as {WHERE}; the user of the server "
        "has one in local.key in the server's home, and `predictq keys create` makes others"
    )


def check_scope() -> None:
    """Check the current request once more, by the rule that Flask has chosen for it.

    A model in its path must be one that the caller sees; raises `ModelNotFound`.
    """
    if request.url_rule is None or request.method == "OPTIONS":
        return
    method, rule = "GET" if request.method == "HEAD" else request.method, request.url_rule.rule
    needed: Access = access_of_route(method, rule)
    if needed != "open":
        require_scope(current_caller(request), needed)
    if of_model := _of_model.search(rule):
        named = (request.view_args or {})[of_model[1]]
        check_seen(current_caller(request), named)


def guard(app: Flask) -> None:
    """Check every request by `check_scope`; the pages of the console do so by themselves."""

    @app.before_request
    def check() -> None:
        if request.blueprint != PAGES:
            check_scope()
