"""Mutates valid inputs: wrong bytes, and valid tokens in wrong places."""

import random
import re
from collections.abc import Sequence

MAX_INPUT_BYTES = 2**16
"""Greatest size of an input in bytes."""
WORDS = (
    *(b"", b"\x00", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xff\xfe", b"\r", b"\n", b"\r\n"),
    *(b" ", b"\t", b",", b";", b":", b"=", b"@", b"'", b'"', b'""', b"\\", b"\\u0000", b"\\ud800"),
    *(b"[", b"]", b"{", b"}", b"[]", b"{}", b"null", b"true", b"NaN", b"-Infinity", b"Infinity"),
    *(b"%00", b"%2e%2e/", b"../", b"sep=;\n", b"--b", b"--b--", b"Content-Disposition: form-data"),
)
NUMBERS = (
    *(b"0", b"-0", b"-1", b"1e999", b"-1e-999", b"1e-9", b"5e-324", b"1_0", b"00", b"0x10"),
    *(b"2147483648", b"9223372036854775808", b"18446744073709551616", b"1" * 400, b"9" * 5000),
)
_number = re.compile(rb"-?\d+(?:\.\d+)?")


def mutated(corpus: Sequence[bytes], chance: random.Random) -> bytes:
    """A random input of the corpus after some mutations, sometimes none."""
    content = chance.choice(corpus)
    for _ in range(chance.choice((0, 1, 1, 1, 2, 2, 3, 8))):
        content = chance.choice(_MUTATIONS)(content, corpus, chance)
    return content[:MAX_INPUT_BYTES]


def _flip(content: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[:at] + chance.randbytes(1) + content[at + 1 :]


def _insert(content: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    at = chance.randrange(len(content) + 1)
    return content[:at] + chance.choice(WORDS) + content[at:]


def _delete(content: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    start, stop = _slice(content, chance)
    return content[:start] + content[stop:]


def _repeat(content: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    start, stop = _slice(content, chance)
    times = min(chance.choice((2, 2, 3, 50, 5000)), MAX_INPUT_BYTES // max(stop - start, 1) + 1)
    return content[:start] + content[start:stop] * times + content[stop:]


def _nest(content: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    start, stop = _slice(content, chance)
    depth = chance.choice((1, 2, 50, 5000))
    opened, closed = chance.choice(((b"[", b"]"), (b'{"a":', b"}"), (b'"', b'"'), (b"(", b")")))
    return content[:start] + opened * depth + content[start:stop] + closed * depth + content[stop:]


def _number_of(content: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    found = [match.span() for match in _number.finditer(content)]
    start, stop = chance.choice(found) if found else _slice(content, chance)
    return content[:start] + chance.choice(NUMBERS) + content[stop:]


def _splice(content: bytes, corpus: Sequence[bytes], chance: random.Random) -> bytes:
    other = chance.choice(corpus)
    return content[: _slice(content, chance)[0]] + other[_slice(other, chance)[0] :]


def _noise(content: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    start, stop = _slice(content, chance)
    return content[:start] + chance.randbytes(chance.choice((1, 4, 100))) + content[stop:]


def _slice(content: bytes, chance: random.Random) -> tuple[int, int]:
    """A random slice, mostly of few bytes."""
    start = chance.randrange(len(content) + 1)
    return start, min(start + chance.choice((1, 1, 2, 8, 100, len(content))), len(content))


_MUTATIONS = (_flip, _insert, _delete, _repeat, _nest, _number_of, _splice, _noise)
