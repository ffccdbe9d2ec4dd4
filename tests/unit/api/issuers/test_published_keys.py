"""What an issuer publishes: read within bounds, and not believed without a look."""

import asyncio
import json
import logging
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from api.issuers import fetching
from api.issuers.fetching import KeyReader, KeysUnreadable
from api.issuers.signing_keys import usable_keys
from tests.support.openid.provider import DISCOVERY, KEYS, Provider, jwk_of


def unreadable(provider: Provider, reader: KeyReader) -> str:
    with pytest.raises(KeysUnreadable) as caught:
        asyncio.run(reader(provider.issuer))
    return str(caught.value)


def test_keys_are_read_by_way_of_the_discovery_document(
    provider: Provider, reader: KeyReader
) -> None:
    assert asyncio.run(reader(provider.issuer)) == provider.published
    assert provider.asked == [DISCOVERY, KEYS]


@pytest.mark.parametrize(
    ("issuer", "jwks_uri", "why"),
    [
        ("https://other.example", None, "is that of 'https://other.example'"),
        (None, "http://keys.example/", "not https://"),
        (None, "file:///etc/passwd", "not https://"),
        (None, 7, "jwks_uri"),
    ],
)
def test_discovery_document_that_lies_is_not_believed(
    provider: Provider, reader: KeyReader, issuer: str | None, jwks_uri: Any, why: str
) -> None:
    told = {"issuer": issuer or provider.issuer, "jwks_uri": jwks_uri or provider.issuer + KEYS}
    provider.answers[DISCOVERY] = 200, {}, json.dumps(told).encode()
    assert why in unreadable(provider, reader)
    assert provider.asked == [DISCOVERY]


@pytest.mark.parametrize("path", [DISCOVERY, KEYS])
@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((302, {"location": "/moved"}, b""), "answered 302"),
        ((200, {}, b" " * 2**20), "more than 262144 bytes"),
        ((200, {}, b"{"), "truncated"),
        ((200, {}, b'{"a":' * 40_000), "recursion"),
        ((200, {}, b"\xff"), "malformed"),
        ((200, {"content-length": "many"}, b""), ""),
    ],
)
def test_document_that_is_none_is_not_read(
    provider: Provider, reader: KeyReader, path: str, answer: Any, why: str
) -> None:
    provider.answers[path] = answer
    assert why in unreadable(provider, reader)
    assert "/moved" not in provider.asked


def test_issuer_that_does_not_answer_is_left_in_time(
    provider: Provider, reader: KeyReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "FETCH_SECONDS", 0.1)
    provider.silent.set()
    assert "no whole answer" in unreadable(provider, reader)
    provider.silent.clear()
    provider.server.shutdown()
    provider.server.server_close()
    monkeypatch.undo()
    assert unreadable(provider, reader)


def test_only_strong_public_keys_for_signatures_are_used() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    good = jwk_of(private.public_key(), "good")
    edwards = jwt.algorithms.OKPAlgorithm.to_jwk(
        ed25519.Ed25519PrivateKey.generate().public_key(), as_dict=True
    )
    weak = jwt.algorithms.RSAAlgorithm.to_jwk(
        rsa.generate_private_key(65537, 1024).public_key(), as_dict=True
    )
    others = [
        jwk_of(private, "private"),
        {**good, "kid": "for encryption", "use": "enc"},
        {**good, "kid": "another algorithm", "alg": "ES512"},
        {**good, "kid": 7},
        {**good, "kid": "broken", "x": None},
        {**good, "kid": "not on the curve", "y": good["x"]},
        {**weak, "kid": "weak"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"},
        {"kid": "nothing"},
        {},
    ]
    found = usable_keys([good, {**edwards, "kid": "ed"}, *others], ("ES256", "EdDSA", "RS256"))
    assert found.keys() == {("good", "ES256"), ("ed", "EdDSA")}


def test_log_says_why_keys_cannot_be_read(
    process: Any, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.answers[KEYS] = 404, {}, b""
    with caplog.at_level(logging.WARNING):
        assert process.refusal(provider.token()) == "issuer_unavailable"
    assert f"{provider.issuer} cannot be read: {provider.issuer}{KEYS} answered 404" in caplog.text
