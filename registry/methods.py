"""Which of a model's methods may be called."""

from typing import Any

from registry.manifest import Manifest
from registry.suggesting import did_you_mean
from telemetry.errors import Detail, UnsupportedMethod


def check_method(manifest: Manifest, method: Any) -> None:
    """Raise `UnsupportedMethod` unless this version has the method."""
    if method not in manifest.signature.methods:
        known = manifest.signature.methods
        told = str(method)[:100]
        near = did_you_mean(told, known)
        has = f"it has {', '.join(known)}" + (f"; {near}" if near else "")
        message = f"{manifest.reference} has no method {told!r}; {has}"
        raise UnsupportedMethod(message, errors=[Detail(("method",), message)])
