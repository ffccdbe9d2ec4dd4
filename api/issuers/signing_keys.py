"""The keys with which an issuer signs, as a process knows them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from time import monotonic

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWTError

from api.issuers.fetching import Jwk, KeysUnreadable
from api.issuers.issuer import Issuer
from telemetry.errors import IssuerUnavailable, TokenInvalid

log = logging.getLogger(__name__)
REREAD_SECONDS = 300.0
"""Seconds after which keys are read again, so that one that is withdrawn is taken no longer."""
USABLE_SECONDS = 86_400.0
"""Seconds for which keys are used while their issuer does not answer."""
RETRY_SECONDS = 10.0
"""Seconds from one reading to the next, whatever tokens ask for."""
RSA_BITS = range(2048, 8193)
"""Shorter keys can be broken; longer ones take long to check."""
KeyName = tuple[str, str]
"""The id of a key, and an algorithm that it is used with."""
ReadKeys = Callable[[str], Awaitable[list[Jwk]]]
"""Reads what an issuer publishes; raises `KeysUnreadable`."""


class SigningKeys:
    """The keys of one issuer, on the event loop."""

    def __init__(self, issuer: Issuer, read: ReadKeys) -> None:
        self._issuer, self._read = issuer, read
        self._published: list[Jwk] = []
        self._keys: Mapping[KeyName, PyJWK] = {}
        self._read_at = self._tried_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    @property
    def known(self) -> Mapping[KeyName, PyJWK]:
        """The keys, which are read again in the background once they are old.

        It is the same object for as long as the issuer publishes the same keys.
        """
        age = monotonic() - self._read_at
        if age > REREAD_SECONDS:
            self._begin_reading()
            if age > USABLE_SECONDS and self._keys:
                self._keys, self._published = {}, []
        return self._keys

    async def find(self, name: KeyName) -> PyJWK:
        """The key of a name; its issuer is asked for one that is not known, now and then.

        Raises `TokenInvalid`, and `IssuerUnavailable` if the issuer did not answer.
        """
        if name not in self.known and (reading := self._begin_reading()):
            await asyncio.wait([reading])  # not cancelled with this request
        if key := self._keys.get(name):
            return key
        if self._read_at < self._tried_at:
            raise IssuerUnavailable(retry_after=int(RETRY_SECONDS))
        raise TokenInvalid("the issuer of the JWT has no key of its `kid` for its `alg`")

    def _begin_reading(self) -> asyncio.Task[None] | None:
        """The reading that is under way; None if the last one was too short a time ago."""
        if self._reading is None and monotonic() - self._tried_at > RETRY_SECONDS:
            self._tried_at = monotonic()
            self._reading = asyncio.create_task(self._renew())
        return self._reading

    async def _renew(self) -> None:
        try:
            published = await self._read(self._issuer.issuer)
        except KeysUnreadable as error:
            log.warning("the keys of the issuer %s cannot be read: %s", self._issuer.issuer, error)
            return
        finally:
            self._reading = None
        self._read_at = monotonic()
        if published != self._published:
            self._published = published
            self._keys = usable_keys(published, self._issuer.algorithms)


def usable_keys(published: Iterable[Jwk], algorithms: Iterable[str]) -> dict[KeyName, PyJWK]:
    """The published keys that are good for signatures of these algorithms."""
    named = [(jwk, kid) for jwk in published if isinstance(kid := jwk.get("kid"), str)]
    return {
        (kid, algorithm): key
        for algorithm in algorithms
        for jwk, kid in named
        if (key := _usable(jwk, algorithm))
    }


def _usable(jwk: Jwk, algorithm: str) -> PyJWK | None:
    if jwk.get("use", "sig") != "sig" or jwk.get("alg", algorithm) != algorithm:
        return None
    try:
        key = PyJWK(jwk, algorithm)
    except (PyJWTError, ArithmeticError, AttributeError, TypeError, ValueError):
        return None
    if isinstance(key.key, RSAPublicKey):
        return key if key.key.key_size in RSA_BITS else None
    others = EllipticCurvePublicKey, Ed25519PublicKey, Ed448PublicKey
    return key if isinstance(key.key, others) else None
