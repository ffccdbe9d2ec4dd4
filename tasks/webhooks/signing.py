"""The secrets that events are signed with, in a file of the home, and their signatures."""

import base64
import hmac
import secrets
from pathlib import Path

from tasks.key_files import WEBHOOK_KEY, read_or_make, replace_key

SECRET_PREFIX = "whsec_"  # noqa: S105 - no secret itself
"""The prefix of a secret's text; the rest is base64."""
SECRET_BYTES = 32


def signatures(secrets_: list[str], event_id: str, sent_at: int, body: bytes) -> str:
    """The header `webhook-signature`: one signature for each secret."""
    content = b".".join((event_id.encode(), str(sent_at).encode(), body))
    made = (hmac.digest(_key(secret), content, "sha256") for secret in secrets_)
    return " ".join(f"v1,{base64.b64encode(each).decode()}" for each in made)


def webhook_secrets(home: Path) -> list[str]:
    """The secrets of a home, the newest first; the first is made when it is first needed."""
    content = read_or_make(home / WEBHOOK_KEY, lambda: _new().encode())
    return content.decode().split()


def make_another_secret(home: Path) -> str:
    """Make a new secret and return it; events are signed with the one before it, too."""
    secret, known = _new(), webhook_secrets(home)
    replace_key(home / WEBHOOK_KEY, f"{secret}\n{known[0]}\n".encode())
    return secret


def _new() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(SECRET_PREFIX))
