"""Which of a model's methods may be called."""

from typing import Any

from registry.manifest import Manifest
from telemetry.errors import Detail, UnsupportedMethod


def check_method(manifest: Manifest, method: Any) -> None:
    """Raise `UnsupportedMethod` unless this version has the method."""
    if method not in manifest.signature.methods:
        known = ", ".join(manifest.signature.methods)
        message = f"{manifest.reference} has no method {method!r}; it has {known}"
        raise UnsupportedMethod(message, errors=[Detail(("method",), message)])
