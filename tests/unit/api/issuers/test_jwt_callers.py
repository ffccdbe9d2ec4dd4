"""JWTs of a provider that publishes its keys over HTTP: who is told by them, and who is refused."""

import hashlib
import hmac
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest

from api.issuers import jwt_callers, signing_keys, verifying
from api.issuers.fetching import KeyReader
from tests.support.openid.provider import DISCOVERY, KEYS, Provider, in_base64
from tests.unit.api.issuers.conftest import BY_KEY, CLAIMS, Process

ONE_READING = [DISCOVERY, KEYS]
NONE = {"alg": "none", "kid": "first", "typ": "JWT"}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets seconds pass for what is known of an issuer."""
    passed = 0.0

    def forward(seconds: float) -> None:
        nonlocal passed
        passed += seconds

    monkeypatch.setattr(signing_keys, "monotonic", lambda: time.monotonic() + passed)
    return forward


def test_jwt_tells_its_caller(provider: Provider, tmp_path: Path, reader: KeyReader) -> None:
    process = Process(provider.file(tmp_path / "issuers.toml", CLAIMS), reader)
    claims = {"scope": "openid predict", "realm": {"groups": ["ml", "hr"]}, "team": "risk"}
    found = process.caller(provider.token(sub="a\nb|c", models=["churn*"], **claims))
    assert found.scopes == {"predict", "batch", "operate", "metrics", "models:read"}
    assert (found.tenant, found.models, found.name) == ("risk", ("churn*",), "127.0.0.1/a?b|c")
    assert str(found.limits.rate) == "100/s"
    other = process.caller(provider.token(models="iris", team="web"))
    assert (other.models, other.scopes) == (("iris",), {"models:read"})
    assert found.key != other.key
    assert found.key.startswith("jwt_")
    assert found.flow == f"{found.key}:1"
    process.close()


def test_what_is_no_jwt_is_left_to_keys(process: Process, provider: Provider) -> None:
    for header in (b"", b"Basic a.b.c", b"Bearer pq_live_x", b"Bearer a.b", b"Bearer a.b.c.d"):
        assert process.run(process.jwts.caller(header, "::1")) == BY_KEY
    assert len(process.headers) == 5
    assert provider.asked == []


def test_jwt_is_verified_once_until_it_expires(
    process: Process, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = provider.token(exp=int(time.time()) + 100)
    first = process.caller(token)
    with monkeypatch.context() as patch:
        patch.delattr(jwt_callers, "verified_claims")
        assert process.caller(token) is first
    late = time.time() + 100 + verifying.SKEW_SECONDS
    monkeypatch.setattr(jwt_callers.time, "time", lambda: late)
    again = process.caller(token)  # verified again, with the clock of this machine
    assert again == first
    assert again is not first


def nested() -> Any:
    found: Any = []
    for _ in range(900):
        found = [found]
    return found


def claims_of(token: str) -> bytes:
    return token.split(".")[1].encode()


def altered(token: str) -> bytes:
    head, claims, signature = token.encode().split(b".")
    told = jwt.decode(token, options={"verify_signature": False})
    assert in_base64(told) != claims
    return b".".join([head, in_base64({**told, "sub": "root"}), signature])


def confused(provider: Provider) -> bytes:
    """Signed with what everyone can read, as if it were a shared secret."""
    content = in_base64({"alg": "HS256", "kid": "first"}) + b"." + claims_of(provider.token())
    secret = provider.published[0]["x"].encode()
    return content + b"." + in_base64(hmac.new(secret, content, hashlib.sha256).hexdigest())


def with_own_key(provider: Provider) -> str:
    """Signed with a key of the sender's, which its head has."""
    published = provider.published
    provider.rotate("mine")
    head = {"jwk": provider.published[0], "jku": provider.issuer + "/mine"}
    provider.published = published
    return provider.token("mine", head)


REFUSED: dict[str, tuple[Callable[[Provider], str | bytes], str]] = {
    "another issuer": (lambda p: p.token(iss="https://other.example"), "issuer_unknown"),
    "slash behind the issuer": (lambda p: p.token(iss=p.issuer + "/"), "issuer_unknown"),
    "another audience": (lambda p: p.token(aud=["web", "app"]), "audience_mismatch"),
    "no audience": (lambda p: p.token(aud=None), "token_invalid"),
    "no end": (lambda p: p.token(exp=None), "token_invalid"),
    "no subject": (lambda p: p.token(sub=None), "token_invalid"),
    "empty subject": (lambda p: p.token(sub=""), "token_invalid"),
    "endless": (lambda p: p.token(exp=float("inf")), "token_invalid"),
    "expired": (lambda p: p.token(exp=int(time.time()) - 61), "token_expired"),
    "not yet valid": (lambda p: p.token(nbf=int(time.time()) + 900), "token_early"),
    "made in the future": (lambda p: p.token(iat=int(time.time()) + 900), "token_early"),
    "of an id token for logout": (lambda p: p.token(head={"typ": "logout+jwt"}), "token_invalid"),
    "with extensions": (lambda p: p.token(head={"crit": ["b64"], "b64": False}), "token_invalid"),
    "other claims": (lambda p: altered(p.token()), "signature_invalid"),
    "unsigned": (lambda p: b"%b.%b." % (in_base64(NONE), claims_of(p.token())), "token_invalid"),
    "none": (lambda p: b"%b.%b.AA" % (in_base64(NONE), claims_of(p.token())), "token_invalid"),
    "HMAC of the published key": (confused, "token_invalid"),
    "the key in its own head": (with_own_key, "token_invalid"),
    "junk": (lambda p: "a.b.c", "token_invalid"),
    "padding": (lambda p: p.token() + "=", "token_invalid"),
    "depth": (
        lambda p: in_base64({"alg": "a", "kid": "", "x": nested()}) + b".e.e",
        "token_invalid",
    ),
}


@pytest.mark.parametrize("which", REFUSED)
def test_jwt_is_refused(process: Process, provider: Provider, which: str) -> None:
    make, code = REFUSED[which]
    assert process.refusal(make(provider)) == code
    assert "/mine" not in provider.asked


def test_clocks_may_differ_by_a_minute(process: Process, provider: Provider) -> None:
    now = int(time.time())
    assert process.caller(provider.token(exp=now - 20))
    assert process.caller(provider.token(nbf=now + 45, iat=now + 45))


@pytest.mark.parametrize(
    "claims", [{}, {"team": "Risk!"}, {"team": ["risk"]}, {"team": "risk", "models": [""]}]
)
def test_claim_that_is_needed_is_not_replaced_by_a_default(
    provider: Provider, tmp_path: Path, reader: KeyReader, claims: dict[str, Any]
) -> None:
    process = Process(provider.file(tmp_path / "issuers.toml", CLAIMS), reader)
    assert process.refusal(provider.token(**{"models": ["a"], **claims})) == "token_invalid"
    process.close()


def test_new_key_is_read_at_once_and_one_that_is_withdrawn_ends(
    process: Process, provider: Provider, clock: Callable[[float], None]
) -> None:
    old = provider.token()
    process.caller(old)
    provider.rotate("second")
    clock(signing_keys.RETRY_SECONDS)
    process.caller(provider.token("second"))
    assert provider.asked == ONE_READING * 2
    assert process.refusal(old) == "token_invalid"
    provider.rotate("third")
    clock(signing_keys.REREAD_SECONDS)
    second = provider.token("second")
    process.caller(second)  # the keys are read meanwhile
    process.settle()
    assert process.refusal(second) == "token_invalid"
    assert provider.asked == ONE_READING * 3


def test_flood_of_unknown_keys_costs_one_reading(
    process: Process, provider: Provider, clock: Callable[[float], None]
) -> None:
    good = provider.token()
    process.caller(good)
    flood = [provider.token(head={"kid": f"unknown {i}"}) for i in range(50)]
    for _ in range(2):
        clock(signing_keys.RETRY_SECONDS)
        assert process.present(*flood, *flood) == ["token_invalid"] * 100
    assert provider.asked == ONE_READING * 3
    assert process.caller(good)


def test_without_its_issuer_keys_are_used_for_a_day(
    process: Process, provider: Provider, clock: Callable[[float], None]
) -> None:
    provider.answers[DISCOVERY] = 503, {}, b""
    assert process.present(provider.token(), provider.token()) == ["issuer_unavailable"] * 2
    assert process.present("pq_live_x") == [BY_KEY]
    assert provider.asked == [DISCOVERY]
    del provider.answers[DISCOVERY]
    clock(signing_keys.RETRY_SECONDS)
    process.caller(provider.token())
    provider.answers[DISCOVERY] = 503, {}, b""
    clock(signing_keys.USABLE_SECONDS - 100)
    known = provider.token(sub="grace")
    assert process.caller(known)
    process.settle()
    assert process.refusal(provider.token(head={"kid": "new"})) == "issuer_unavailable"
    clock(200)
    assert process.refusal(known) == "issuer_unavailable"


def test_forgeries_keep_only_new_jwts_waiting(
    process: Process, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.limits.per_second.monotonic", lambda: 7.0)
    known = provider.token()
    process.caller(known)
    forged = altered(known)
    refusals = process.present(*[forged] * (jwt_callers.MAX_FORGERIES + 5))
    assert refusals.count("busy") == 5
    assert process.refusal(provider.token(sub="grace")) == "busy"
    process.jwts._accepted[hashlib.sha256(known.encode()).digest()]._ends_at = 0
    assert process.caller(known)  # although it is verified again
    monkeypatch.setattr("api.limits.per_second.monotonic", lambda: 8.0)
    assert process.caller(provider.token(sub="grace"))


def test_jwts_that_are_remembered_are_bounded(
    process: Process, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwt_callers, "MAX_ACCEPTED", 3)
    for each in range(6):
        process.caller(provider.token(sub=str(each)))
    assert [a.caller.name[-1] for a in process.jwts._accepted.values()] == ["3", "4", "5"]
