"""An OpenID provider on 127.0.0.1, which publishes keys and signs what a test wants."""

import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.webhooks.receiver import serving

AUDIENCE = "predictq"
DISCOVERY, KEYS = "/.well-known/openid-configuration", "/keys"


def jwk_of(key: Any, kid: str) -> dict[str, Any]:
    """The published form of an elliptic key, public or private."""
    return {**jwt.algorithms.ECAlgorithm.to_jwk(key, as_dict=True), "kid": kid}


def in_base64(part: object) -> bytes:
    return urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")


class Provider:
    """Its keys by id, what it publishes of them, and what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        """Answers to paths that are not as they should be."""
        self.silent = threading.Event()
        self._keys: dict[str, Any] = {}
        self.published: list[dict[str, Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer._answer(self)

            def log_message(self, *_: object) -> None:
                """Write nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        self.rotate("first")

    def rotate(self, kid: str) -> None:
        """Sign with a new key, and publish it alone."""
        self._keys[kid] = ec.generate_private_key(ec.SECP256R1())
        self.published = [jwk_of(self._keys[kid].public_key(), kid)]

    def token(self, kid: str = "first", head: dict[str, Any] | None = None, **claims: Any) -> str:
        """A JWT; claims that are None are left out."""
        now = int(time.time())
        told = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": "ada",
            "exp": now + 600,
            "iat": now,
            **claims,
        }
        told = {name: value for name, value in told.items() if value is not None}
        return jwt.encode(told, self._keys[kid], "ES256", {"kid": kid, **(head or {})})

    def file(self, path: Path, more: str = "") -> Path:
        """A file of issuers with this one."""
        path.write_text(
            f'[[issuers]]\nissuer = "{self.issuer}"\naudiences = ["{AUDIENCE}"]\n'
            f'algorithms = ["ES256"]\n{more}'
        )
        return path

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(request.path)
        while self.silent.is_set():
            time.sleep(0.02)
        documents = {
            DISCOVERY: {"issuer": self.issuer, "jwks_uri": self.issuer + KEYS},
            KEYS: {"keys": self.published},
        }
        known = 200, {}, json.dumps(documents.get(request.path)).encode()
        status, headers, body = self.answers.get(request.path, known)
        request.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)


@contextmanager
def providing() -> Iterator[Provider]:
    provider = Provider()
    with serving(provider.server):
        try:
            yield provider
        finally:
            provider.silent.clear()
