"""The one table of routes and scopes.

It decides what each request needs, on every path of the API. A route that is not listed here does
not exist: a request for it is answered with 404, and `check_routes` stops a start with it.
"""

import re
from collections.abc import Iterable
from typing import Literal

from tasks.callers.scopes import Scope

Access = Scope | Literal["open"]
"""The scope that a route needs; `open` needs none, and no key is looked at."""

TABLE: dict[Access, str] = {
    "open": """
        GET /
        GET /docs
        GET /openapi.json
        GET /static/<name>
        GET /health
        GET /ready
        GET /v2
        GET /v2/health/live
        GET /v2/health/ready
        GET /console/sign-in
        POST /console/sign-in
        GET /console/static/<name>
    """,
    "predict": """
        POST /predict
        POST /predict/async
        POST /predict/results
        GET /predict/result/<id>
        DELETE /predict/result/<id>
        POST /predict/result/<id>/label
        POST /predict/labels
        POST /models/<name>/predict
        POST /models/<name>/versions/<version>/predict
        POST /models/<name>/batch_predict
        POST /v2/models/<name>/infer
        POST /v2/models/<name>/versions/<version>/infer
        GET /console/predictions/<id>
        GET /console/answers/<id>
        POST /console/predictions/<id>/cancel
        POST /console/try/<model>
    """,
    "batch": """
        GET /predict/batch
        POST /predict/batch
        POST /predict/batch/validate
        GET /predict/batch/<id>
        DELETE /predict/batch/<id>
        POST /predict/batch/<id>/resume
        GET /predict/batch/<id>/output
        GET /predict/batch/<id>/errors
        GET /predict/batch/<id>/events
        GET /console/batches
        GET /console/batches/<id>
        GET /console/batches/<id>/output
        GET /console/batches/<id>/errors
        POST /console/batches/<id>/cancel
        POST /console/batches/<id>/resume
        POST /console/batches/<id>/delete
    """,
    "models:read": """
        GET /models
        GET /models/status
        GET /models/<name>
        GET /models/<name>/history
        GET /models/<name>/versions/<version>
        GET /models/<name>/versions/<version>/quality
        GET /deployments
        GET /models/<name>/deployments
        GET /models/<name>/deployments/<environment>
        GET /models/<name>/comparison
        GET /models/<name>/drift
        GET /models/<name>/shadow
        GET /models/<name>/rollouts
        GET /models/<name>/rollouts/<id>
        GET /v2/models/<name>
        GET /v2/models/<name>/ready
        GET /v2/models/<name>/versions/<version>
        GET /v2/models/<name>/versions/<version>/ready
        POST /v2/repository/index
    """,
    "models:write": """
        DELETE /models/<name>
        POST /models/<name>/keep-latest
        POST /models/<name>/rollback
        PUT /models/<name>/aliases/<alias>
        DELETE /models/<name>/aliases/<alias>
        PUT /models/<name>/cache
        POST /models/<name>/deploy
        POST /models/<name>/deployments
        PATCH /models/<name>/deployments/<environment>
        DELETE /models/<name>/deployments/<environment>
        POST /models/<name>/deployments/<environment>/stop
        POST /models/<name>/deployments/<environment>/start
        PUT /models/<name>/shadow
        DELETE /models/<name>/shadow
        POST /models/<name>/rollouts
        POST /models/<name>/rollouts/<id>/pause
        POST /models/<name>/rollouts/<id>/resume
        POST /models/<name>/rollouts/<id>/abort
        POST /models/<name>/versions
        DELETE /models/<name>/versions/<version>
        GET /models/<name>/versions/<version>/artifact
        GET /models/<name>/versions/<version>/sample
        POST /upload_model
        POST /deploy
        POST /stop_deployment/<id>
        DELETE /delete_model/<id>
    """,
    "operate": """
        GET /events
        GET /models/<name>/shadow/examples
        POST /models/<name>/load
        POST /models/<name>/versions/<version>/load
        POST /models/<name>/versions/<version>/unload
        POST /models/<name>/versions/<version>/pause
        POST /models/<name>/versions/<version>/resume
        POST /v2/repository/models/<name>/load
        POST /v2/repository/models/<name>/unload
        DELETE /dead-letters
        POST /dead-letters/replay
        GET /dead-letters/<id>
        DELETE /dead-letters/<id>
        POST /dead-letters/<id>/replay
        POST /console/dead-letters/delete
        POST /console/dead-letters/replay
        POST /console/models/<name>/<version>/pause
        POST /console/models/<name>/<version>/resume
    """,
    "metrics": """
        GET /metrics
        GET /stats
        GET /scale
        GET /dead-letters
        GET /console
        GET /console/<path:other>
        POST /console/sign-out
        GET /console/
        GET /console/events
        GET /console/queues
        GET /console/workers
        GET /console/runbooks/<name>
        GET /console/predictions
        GET /console/models
        GET /console/models/<name>
        GET /console/dead-letters
        GET /console/search
        GET /console/try/<model>
    """,
    "admin": """
        POST /console/codes
        GET /console/audit
        GET /console/keys
        POST /console/keys
        POST /console/keys/<id>/rotate
        POST /console/keys/<id>/revoke
        GET /audit
        GET /keys
        POST /keys
        GET /keys/<id>
        DELETE /keys/<id>
        POST /keys/<id>/rotate
    """,
}
SESSIONS_PATH = "/console"
"""Below it, the cookie of a session tells the caller, too."""
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
CHANGING: tuple[Access, ...] = ("models:write", "operate", "admin")
"""Scopes whose routes change what others use, unless their method is safe: see `is_audited`."""
_parameter = re.compile(r"<(?:(\w+):)?\w+>")


def _plain(route: str) -> str:
    """A route without the names of its parameters, which may differ between Flask and this
    table.
    """
    return _parameter.sub(lambda found: "<path>" if found[1] == "path" else "<>", route)


ACCESS: dict[str, Access] = {
    _plain(line): access
    for access, text in TABLE.items()
    for line in map(str.strip, text.strip().splitlines())
}
"""``METHOD /route`` → the scope that it needs; parameters are ``<>``."""


def access_of_route(method: str, route: str) -> Access:
    """The scope that a route needs, by its rule; raises `LookupError` if the table lacks it."""
    try:
        return ACCESS[_plain(f"{method} {route}")]
    except KeyError:
        raise LookupError(
            f"the route `{method} {route}` has no scope: add it to `TABLE` in "
            "api/callers/access.py, under the scope that a caller needs for it, or under `open`"
        ) from None


def check_routes(routes: Iterable[tuple[str, str]]) -> None:
    """Raise `LookupError` if any of the routes, each a method and a rule, is not in the table."""
    for method, route in routes:
        access_of_route(method, route)


def _pattern(route: str) -> re.Pattern[str]:
    one = re.escape(route).replace("<path>", ".+").replace("<>", "[^/]+")
    return re.compile(one)


_with_parameters: dict[str, list[tuple[re.Pattern[str], Access]]] = {}
# A parameter that takes slashes comes last, as with Flask.
for _route, _access in sorted(ACCESS.items(), key=lambda each: "<path>" in each[0]):
    if "<" in _route:
        _method = _route.partition(" ")[0]
        _with_parameters.setdefault(_method, []).append((_pattern(_route), _access))
_paths = [_pattern(route.partition(" ")[2]) for route in ACCESS]


def access_of(method: str, path: str) -> Access | None:
    """The scope that a request needs; None if no route has its path and method."""
    method = "GET" if method == "HEAD" else method
    request = f"{method} {path}"
    if access := ACCESS.get(request):
        return access
    for pattern, access in _with_parameters.get(method, ()):
        if pattern.fullmatch(request):
            return access
    return None


def is_audited(method: str, path: str) -> bool:
    """Whether a request is a change that the audit log has to hold."""
    return method not in SAFE_METHODS and access_of(method, path) in CHANGING


def is_path(path: str) -> bool:
    """Whether a route has this path, whatever its methods."""
    return any(pattern.fullmatch(path) for pattern in _paths)
