"""The caller that the claims of a verified JWT describe."""

import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec

from api.issuers.issuer import Claim, Issuer
from tasks.callers.caller import Caller, flow_name
from tasks.callers.scopes import EVERY_SCOPE, ROLES, Scope, scopes_of
from tasks.ledger.api_keys.api_key import Glob, Tenant
from telemetry.errors import TokenInvalid

JWT_ID_PREFIX = "jwt_"
"""What the ids of subjects begin with, in place of those of keys."""
MAX_NAME_OF_SUBJECT = 100
Claims = Mapping[str, Any]
_Subject = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
_Globs = Annotated[tuple[Glob, ...], msgspec.Meta(min_length=1, max_length=50)]
_unsafe = re.compile(r"[^\w .@|:/+-]")


def claimed_caller(claims: Claims, issuer: Issuer) -> Caller:
    """The caller; raises `TokenInvalid` if a claim is missing or wrong that the issuer needs.

    A tenant that is missing must not become that of callers without one.
    """
    subject = _read(claims, "sub", _Subject)
    tenant, models = issuer.tenant, issuer.models
    if issuer.tenant_claim is not None:
        tenant = _read(claims, issuer.tenant_claim, Tenant)
    if issuer.models_claim is not None:
        models = _converted(tuple(_names(claims, issuer.models_claim)), issuer.models_claim, _Globs)
    key = _subject_id(issuer, subject)
    return Caller(
        scopes=_scopes(claims, issuer),
        key=key,
        name=_name(issuer, subject),
        tenant=tenant,
        models=models,
        limits=issuer.limits,
        flow=flow_name(key, issuer.weight),
    )


def _scopes(claims: Claims, issuer: Issuer) -> frozenset[Scope]:
    # Such a claim has scopes of other applications, too, and `openid`.
    own = EVERY_SCOPE | ROLES.keys()
    named = [name for name in _names(claims, issuer.scopes_claim) if name in own]
    groups = _names(claims, issuer.groups_claim)
    of_groups = (name for group in groups for name in issuer.groups.get(group, ()))
    return scopes_of([*issuer.scopes, *named, *of_groups])


def _names(claims: Claims, claim: Claim | None) -> Iterator[str]:
    """The texts of a list, or of one text between blanks; none of a claim that is not there."""
    found = None if claim is None else _find(claims, claim)
    each: Iterable[Any] = found.split() if isinstance(found, str) else found or ()
    if isinstance(each, list):
        yield from (name for name in each if isinstance(name, str))


def _find(claims: Claims, claim: Claim) -> Any:
    found: Any = claims
    for name in (claim,) if isinstance(claim, str) else claim:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _read(claims: Claims, claim: Claim, kind: Any) -> Any:
    return _converted(_find(claims, claim), claim, kind)


def _converted(value: Any, claim: Claim, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        name = claim if isinstance(claim, str) else ".".join(claim)
        raise TokenInvalid(f"the claim `{name}` of the JWT: {error}") from None


def _subject_id(issuer: Issuer, subject: str) -> str:
    """The id of a subject, by which its predictions are limited and its acts recorded."""
    digest = sha256(f"{issuer.issuer}\n{subject}".encode("utf-8", "surrogatepass"))
    return JWT_ID_PREFIX + digest.hexdigest()[:16]


def _name(issuer: Issuer, subject: str) -> str:
    """The name of a subject in logs and messages, without anything that could confuse them."""
    host = urlsplit(issuer.issuer).hostname
    return _unsafe.sub("?", f"{host}/{subject}")[:MAX_NAME_OF_SUBJECT]
