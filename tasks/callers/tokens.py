"""Tokens: the text of a key, ``pq_live_<id>_<secret><checksum>``.

Leak scanners find it by its prefix, and the checksum tells any other text apart without a look-up.
"""

import secrets
import string
from hashlib import sha256
from hmac import compare_digest
from zlib import crc32

import msgspec

KEY_PREFIX = "pq_live_"
KEY_ID_CHARS, SECRET_CHARS, CHECKSUM_CHARS = 8, 43, 8
"""43 characters of 62 are 256 bits; the checksum is a CRC-32."""
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_LENGTH = len(KEY_PREFIX) + KEY_ID_CHARS + 1 + SECRET_CHARS + CHECKSUM_CHARS
_ID = slice(len(KEY_PREFIX), len(KEY_PREFIX) + KEY_ID_CHARS)


class Token(msgspec.Struct, frozen=True):
    """A token that has the right form: its id, and the hash by which it is stored."""

    id: str
    hash: bytes
    """SHA-256 of the whole token. The secret is random, so a slow hash would add nothing."""

    def matches(self, stored: bytes) -> bool:
        """Whether this is the token that was stored; in constant time."""
        return compare_digest(self.hash, stored)


def make_token(key_id: str | None = None) -> tuple[str, Token]:
    """A new token, as text and as it is stored; with a new random id unless one is given."""
    head = f"{KEY_PREFIX}{key_id or _random(KEY_ID_CHARS)}_{_random(SECRET_CHARS)}"
    text = head + _checksum(head)
    return text, Token(text[_ID], sha256(text.encode()).digest())


def read_token(text: str) -> Token | None:
    """The token in a text; None if the text is no token. Makes no look-up."""
    if len(text) != _LENGTH or not text.startswith(KEY_PREFIX) or not text.isascii():
        return None
    if _checksum(text[:-CHECKSUM_CHARS]) != text[-CHECKSUM_CHARS:]:
        return None
    return Token(text[_ID], sha256(text.encode()).digest())


def _random(count: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(count))


def _checksum(head: str) -> str:
    return f"{crc32(head.encode()):08x}"
