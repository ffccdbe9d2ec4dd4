"""Targets: JWTs, their claims, and the keys that an issuer publishes."""

import asyncio
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.http.conversion import converted
from api.issuers.claims import claimed_caller
from api.issuers.fetching import Jwk
from api.issuers.issuer import Issuer
from api.issuers.jwt_callers import JwtCallers
from api.issuers.signing_keys import usable_keys
from benchmarks.fuzz.target import plain
from tasks.callers.caller import Caller
from tasks.wire import decode, encode

ISSUER = Issuer(
    issuer="https://login.example.com",
    audiences=("predictq",),
    algorithms=("EdDSA", "ES256", "RS256"),
    scopes_claim="scope",
    groups_claim=("realm", "groups"),
    groups={"ml": ("operator",)},
    tenant_claim="team",
    models_claim="models",
)
CLAIMS = {
    "iss": ISSUER.issuer,
    "aud": "predictq",
    "sub": "ada",
    "exp": 2**35,
    "scope": "a predict",
    "realm": {"groups": ["ml"]},
    "team": "risk",
    "models": ["churn*", "iris"],
}
PRIVATE = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = {
    **jwt.algorithms.OKPAlgorithm.to_jwk(PRIVATE.public_key(), as_dict=True),
    "kid": "one",
    "use": "sig",
}
KEYS = (
    PUBLIC,
    {
        "kty": "EC",
        "crv": "P-256",
        "kid": "two",
        "alg": "ES256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    },
    {"kty": "RSA", "kid": "three", "e": "AQAB", "n": "u" * 342 + "Q"},
)
# Its signature is always the same, and so are the inputs that are made of it.
JWT = jwt.encode(CLAIMS, PRIVATE, "EdDSA", {"kid": "one"}).encode()


async def _published(_: str) -> list[Jwk]:
    return [PUBLIC]


async def _no_key(_: bytes, __: str) -> Caller | None:
    return None


def _jwt(content: bytes) -> object:
    callers = JwtCallers([ISSUER], _published, _no_key)
    return asyncio.run(callers.caller(b"Bearer " + content, "127.0.0.1"))


def _read(content: bytes, kind: type[Any]) -> Any:
    return converted(decode(content), kind)


def _claims(content: bytes) -> object:
    return claimed_caller(_read(content, dict[str, Any]), ISSUER)


def _keys(content: bytes) -> object:
    return usable_keys(_read(content, list[Jwk]), ISSUER.algorithms)


TARGETS = (
    plain("JWT", (JWT,), _jwt),
    plain("claims of a JWT", (encode(CLAIMS),), _claims),
    plain("keys of an issuer", (encode(KEYS),), _keys),
)
