"""Whether a request may see tracebacks."""

import msgspec
from flask import Request

from api.callers.current import current_caller, require_scope
from api.http.operator_bodies import read_query


class _Query(msgspec.Struct, frozen=True):
    debug: bool = False


def wants_debug(request: Request) -> bool:
    """Whether the request has ``debug=true``.

    Raises `Invalid`, or as `require_scope` for a caller without the scope ``operate``.
    """
    wanted = read_query(request, _Query).debug
    if wanted:
        require_scope(current_caller(request), "operate")
    return wanted
