"""The fields of a log line about a request."""

from typing import Any

from flask import has_request_context, request


def of_request() -> dict[str, Any]:
    """Method, route, and the id or model in the path; empty outside of a Flask request."""
    if not has_request_context():
        return {}
    # None for a path without a route.
    given = request.view_args or {}
    named = {"id": given.get("task_id", given.get("id")), "model": given.get("name")}
    # Not the path: lines about one route can be counted, and the id is a field of its own.
    route = request.url_rule.rule if request.url_rule else None
    told = {"method": request.method, "route": route, **named}
    return {field: value for field, value in told.items() if value is not None}
