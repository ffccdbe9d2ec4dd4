"""Checks the signature, the audience and the times of a JWT."""

from typing import Any

import jwt
from jwt import PyJWK

from api.issuers.issuer import Issuer
from telemetry.errors import (
    AudienceMismatch,
    SignatureInvalid,
    TokenEarly,
    TokenExpired,
    TokenInvalid,
)

SKEW_SECONDS = 60
"""Seconds by which the clocks of issuer and server may differ."""
_OPTIONS: Any = {"require": ["exp", "iss", "aud", "sub"]}


def verified_claims(text: bytes, key: PyJWK, issuer: Issuer) -> dict[str, Any]:
    """The claims of a JWT; raises an `Unauthenticated` that says what is wrong with it."""
    try:
        return jwt.decode(
            text,
            key,
            algorithms=[key.algorithm_name],
            audience=issuer.audiences,
            issuer=issuer.issuer,
            leeway=SKEW_SECONDS,
            options=_OPTIONS,
        )
    except jwt.InvalidSignatureError:
        raise SignatureInvalid from None
    except jwt.ExpiredSignatureError:
        raise TokenExpired from None
    except jwt.ImmatureSignatureError:
        raise TokenEarly from None
    except jwt.InvalidAudienceError:
        raise AudienceMismatch from None
    except (jwt.PyJWTError, ArithmeticError, TypeError, ValueError, RecursionError) as error:
        raise TokenInvalid(f"the JWT cannot be used: {str(error)[:200]}") from None
