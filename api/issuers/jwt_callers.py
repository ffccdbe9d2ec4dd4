"""Tells callers by the JWTs that they present."""

import time
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

from jwt import PyJWK

from api.callers.known_keys import Presented
from api.issuers.claims import claimed_caller
from api.issuers.fetching import KeyReader
from api.issuers.issuer import Issuer, read_issuers
from api.issuers.signing_keys import KeyName, ReadKeys, SigningKeys
from api.issuers.unverified import read_unverified
from api.issuers.verifying import SKEW_SECONDS, verified_claims
from api.limits.per_second import PerSecond
from tasks.callers.caller import Caller
from telemetry.errors import Busy, IssuerUnknown, SignatureInvalid, TokenInvalid

MAX_ACCEPTED = 20_000
"""JWTs that are remembered, each until it expires."""
MAX_FORGERIES = 100
"""JWTs with a wrong signature in a second after which no new ones are checked in it."""
BEARER = b"bearer"


class _Accepted:
    """A JWT that was verified: its caller, until when, and the keys that its own was among."""

    __slots__ = ("_among", "_ends_at", "_signing", "caller")

    def __init__(
        self,
        caller: Caller,
        ends_at: float,
        signing: SigningKeys,
        among: Mapping[KeyName, PyJWK],
    ) -> None:
        self.caller, self._ends_at, self._signing, self._among = caller, ends_at, signing, among

    def stands(self) -> bool:
        """Whether it has not expired, and its issuer publishes the same keys."""
        return time.time() < self._ends_at and self._signing.known is self._among


class JwtCallers:
    """Verifies JWTs of some issuers, on the event loop, and remembers each until it expires."""

    def __init__(self, issuers: Iterable[Issuer], read: ReadKeys, keys: Presented) -> None:
        """``keys``: gives the callers of all headers without a JWT."""
        self._issuers = {each.issuer: (each, SigningKeys(each, read)) for each in issuers}
        self._keys = keys
        self._accepted: dict[bytes, _Accepted] = {}
        self._forgeries = PerSecond()

    async def caller(self, header: bytes, address: str) -> Caller | None:
        """The caller that sends this `Authorization` header; None without a bearer token.

        Raises as `KnownKeys.caller`, and for a JWT the `Unauthenticated` that says what is wrong
        with it, `IssuerUnavailable`, or `Busy`.
        """
        scheme, _, given = header.partition(b" ")
        text = given.strip()
        if text.count(b".") != 2 or scheme.lower() != BEARER:
            return await self._keys(header, address)
        digest = sha256(text).digest()
        accepted = self._accepted.get(digest)
        if accepted is None or not accepted.stands():
            accepted = await self._verify(text, is_new=accepted is None)
            self._remember(digest, accepted)
        return accepted.caller

    async def _verify(self, text: bytes, *, is_new: bool) -> _Accepted:
        head, claimed = read_unverified(text)
        if claimed not in self._issuers:
            raise IssuerUnknown
        issuer, signing = self._issuers[claimed]
        if head.alg not in issuer.algorithms:
            listed = ", ".join(issuer.algorithms)
            raise TokenInvalid(f"the `alg` of the JWT is none of those of its issuer: {listed}")
        key = await signing.find((head.kid, head.alg))
        # Forgeries could take all the time of the event loop; callers that are known need not wait.
        if is_new and self._forgeries.count >= MAX_FORGERIES:
            raise Busy("too many JWTs with wrong signatures are being presented; try again soon")
        try:
            claims = verified_claims(text, key, issuer)
        except SignatureInvalid:
            self._forgeries.add()
            raise
        ends_at = int(claims["exp"]) + SKEW_SECONDS
        return _Accepted(claimed_caller(claims, issuer), ends_at, signing, signing.known)

    def _remember(self, digest: bytes, accepted: _Accepted) -> None:
        self._accepted.pop(digest, None)
        if len(self._accepted) >= MAX_ACCEPTED:  # the one that was verified longest ago
            del self._accepted[next(iter(self._accepted))]
        self._accepted[digest] = accepted


def jwt_callers(path: Path, keys: Presented) -> JwtCallers:
    """Callers by the issuers of a file; raises as `read_issuers`."""
    return JwtCallers(read_issuers(path), KeyReader(), keys)
