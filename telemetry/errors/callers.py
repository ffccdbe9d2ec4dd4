"""Errors of a caller that presents no key or JWT, or one that does not identify it."""

from telemetry.errors.base import PredictqError
from telemetry.errors.capacity import Unavailable


class Unauthenticated(PredictqError):
    """The request does not show which caller sent it."""

    code = "unauthenticated"


class KeyMissing(Unauthenticated):
    """A key is needed, as `Authorization: Bearer <key>`."""

    code = "key_missing"


class KeyInvalid(Unauthenticated):
    """There is no such key."""

    code = "key_invalid"


class KeyExpired(Unauthenticated):
    """The key has expired."""

    code = "key_expired"


class KeyRevoked(Unauthenticated):
    """The key was revoked."""

    code = "key_revoked"


class TokenInvalid(Unauthenticated):
    """The JWT cannot be used."""

    code = "token_invalid"


class SignatureInvalid(Unauthenticated):
    """The signature of the JWT is wrong."""

    code = "signature_invalid"


class IssuerUnknown(Unauthenticated):
    """No issuer that this server trusts has made the JWT."""

    code = "issuer_unknown"


class AudienceMismatch(Unauthenticated):
    """The JWT was made for another audience than this server."""

    code = "audience_mismatch"


class TokenExpired(Unauthenticated):
    """The JWT has expired."""

    code = "token_expired"


class TokenEarly(Unauthenticated):
    """The JWT is not valid yet."""

    code = "token_early"


class IssuerUnavailable(Unavailable):
    """The keys of the JWT's issuer cannot be read now."""

    code = "issuer_unavailable"
