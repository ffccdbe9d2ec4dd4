"""The methods that may be called on a version."""

from functools import lru_cache
from typing import Any

from registry.manifest import Column, Manifest, Signature
from registry.names import did_you_mean
from telemetry.errors import Detail, UnsupportedMethod

INVERSE = "inverse_transform"


def check_job_method(manifest: Manifest, method: Any) -> None:
    """Raise `UnsupportedMethod` unless a batch job may call the method on this version."""
    if method == INVERSE:
        message = f"{INVERSE} takes no rows of the model's columns, so no file is scored by it"
        raise UnsupportedMethod(message, errors=[Detail(("method",), message)])
    check_method(manifest, method)


def check_method(manifest: Manifest, method: Any) -> None:
    """Raise `UnsupportedMethod` unless this version has the method."""
    if method not in manifest.signature.methods:
        known = manifest.signature.methods
        told = str(method)[:100]  # a stock producer may send any JSON value here
        near = did_you_mean(told, known)
        has = f"it has {', '.join(known)}" + (f"; {near}" if near else "")
        message = f"{manifest.reference} has no method {told!r}; {has}"
        raise UnsupportedMethod(message, errors=[Detail(("method",), message)])


@lru_cache(maxsize=4096)
def input_of(signature: Signature, method: str) -> Signature:
    """The input schema of a method: the signature, or unnamed numbers for `INVERSE`."""
    if method != INVERSE or signature.inverse is None:
        return signature
    columns = tuple(
        Column(f"x{index}", nullable=True, infinite=True) for index in range(signature.inverse)
    )
    return Signature(columns, named=False, frame=False, methods=(INVERSE,))
