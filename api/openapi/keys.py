"""Keys in the OpenAPI document, and what every operation says of the key that it needs."""

import re
from typing import Any

from api.audit.routes import AuditLines, AuditPage
from api.callers.access import access_of_route
from api.keys.routes import Rotation, ShownKey, ShownKeys
from api.open_inference.protocol_errors import PREFIX
from api.openapi.objects import (
    Json,
    in_path,
    operation_answering,
    problems,
    query_of,
    request_body,
)
from api.openapi.open_inference import protocol_errors
from tasks.callers.caller import LOCAL_CALLER
from tasks.ledger.api_keys.new_key import NewKey

KEYS = "keys"
KEY_TYPES = (NewKey, Rotation, ShownKey, ShownKeys, AuditLines)
SCHEME = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "A key, as `predictq keys create` prints it, or a JWT of an issuer that the "
        "server trusts. Its scopes say what its caller may do.",
    }
}
HTTP_OPERATIONS = ("get", "put", "post", "patch", "delete")


def key_paths() -> Json:
    """The paths of keys, and of what was done with them."""
    one = {"parameters": [in_path("id", "Id or name of the key")]}
    example = {"name": "billing", "scopes": ["predict"], "rate": "100/s"}
    made = operation_answering(
        KEYS, "Create a key", "createKey", ShownKey, "409", "422", "503", status="201"
    )
    rotation = request_body(Rotation, {"overlap_seconds": 3600}) | {"required": False}
    refused = ("404", "422", "503")
    audited = operation_answering(KEYS, "List changes and refusals", "listAudit", AuditLines, "422")
    return {
        "/audit": {"get": audited | {"parameters": query_of(AuditPage)}},
        "/keys": {
            "get": operation_answering(KEYS, "List keys", "listKeys", ShownKeys, "503"),
            "post": made | {"requestBody": request_body(NewKey, example)},
        },
        "/keys/{id}": one
        | {
            "get": operation_answering(KEYS, "Show a key", "showKey", ShownKey, "404", "503"),
            "delete": operation_answering(
                KEYS, "Revoke a key", "revokeKey", ShownKey, "404", "503"
            ),
        },
        "/keys/{id}/rotate": one
        | {
            "post": operation_answering(
                KEYS, "Give a key a new secret", "rotateKey", ShownKey, *refused
            )
            | {"requestBody": rotation}
        },
    }


def secured(paths: Json) -> Json:
    """The paths, with the scope that each operation needs, by the table that enforces it."""
    for path, operations in paths.items():
        route = re.sub(r"\{(\w+)\}", r"<\1>", path)
        for method in HTTP_OPERATIONS:
            if method in operations:
                _secure(path, operations[method], access_of_route(method.upper(), route))
    return paths


def _secure(path: str, operation: dict[str, Any], access: str) -> None:
    if access == "open":
        operation["security"] = []
        return
    # Where the API listens on loopback alone, some routes need no key.
    operation["security"] = [{"key": [access]}, *([{}] if access in LOCAL_CALLER.scopes else [])]
    limits = ("429",) if access == "predict" else ()
    refusals = protocol_errors if path.startswith(PREFIX) else problems
    operation["responses"] |= refusals("401", "403", *limits)
