"""What a JWT says of itself before its signature is checked: which key, and whose."""

import re
from base64 import urlsafe_b64decode
from typing import TypeVar

import msgspec

from telemetry.errors import TokenInvalid

TYPES = ("jwt", "at+jwt", "application/at+jwt")
"""Types of JWTs that stand for a caller (RFC 8725, RFC 9068)."""
_form = re.compile(rb"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+")
Part = TypeVar("Part")


class JwtHead(msgspec.Struct, frozen=True):
    """The head of a JWT."""

    alg: str
    kid: str
    typ: str = "JWT"
    crit: object = None


class _Claims(msgspec.Struct, frozen=True):
    iss: str


def read_unverified(text: bytes) -> tuple[JwtHead, str]:
    """The head of a JWT, and the issuer that it claims; raises `TokenInvalid`."""
    if not (parts := _form.fullmatch(text)):
        raise TokenInvalid(
            "this is no signed JWT, which is three parts in Base64url with dots between them"
        )
    head = _decoded(parts[1], JwtHead)
    if head.typ.lower() not in TYPES:
        raise TokenInvalid("the `typ` of the JWT says that it is not for an API")
    if head.crit is not None:
        raise TokenInvalid("the JWT has `crit`, and no extension is supported")
    return head, _decoded(parts[2], _Claims).iss


def _decoded(part: bytes, kind: type[Part]) -> Part:
    try:
        text = urlsafe_b64decode(part + b"=" * (-len(part) % 4))
        return msgspec.json.decode(text, type=kind)
    except (ValueError, msgspec.DecodeError, RecursionError):
        raise TokenInvalid(
            "a JWT needs `alg` and `kid` in its head, and `iss` in its claims"
        ) from None
