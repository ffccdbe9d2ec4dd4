"""UUIDv7 ids with a keyed check, which proves that this installation gave the id out.

Layout, high to low: 48 bits of Unix milliseconds, version, 12 random bits, variant, 30 random
bits, 32 bits of check. The check protects no secret; it tells "never given out" from "expired".
The first random bit is 0. In an id that is waited for it is 1, and the next eleven are the mark of
its process: by the mark, the script that writes the outcome finds the process.
"""

import hmac
import itertools
import secrets
import time
import uuid
from hashlib import blake2b
from pathlib import Path

from tasks.key_files import read_or_make

CHECK_BITS = 32
MARK = slice(15, 18)
"""Where an id has the mark: three hexadecimal digits. outcomes.lua looks there, too."""
MARKED = 1 << 11
"""The bit that says that an id has a mark."""
NOISE_BITS = 30
MAX_NOISE = (1 << NOISE_BITS) - 1


class Ids:
    """Makes and recognises the ids of one installation."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        # Random bits come from a keyed counter: a call to os.urandom per id would release the GIL.
        self._seed, self._count = secrets.token_bytes(32), itertools.count()
        self._mark = MARKED | secrets.randbits(11)
        self._marked_at, self._taken = 0, set[int]()
        self.mark = f"{self._mark:03x}"
        """The mark of the ids of `new_marked`, as they spell it."""

    def new(self) -> str:
        """A new id in UUID text form; ids sort by time, to the millisecond."""
        noise = self._noise()
        return self._spelled(_now(), noise >> NOISE_BITS & ~MARKED, noise & MAX_NOISE)

    def new_marked(self) -> str:
        """A new id with the mark of this process; for one thread."""
        # Thirty random bits alone would not keep thousands of ids a second apart for years.
        if (stamp := _now()) != self._marked_at:
            self._marked_at, self._taken = stamp, set()
        while (noise := self._noise() & MAX_NOISE) in self._taken:
            pass
        self._taken.add(noise)
        return self._spelled(self._marked_at, self._mark, noise)

    def _spelled(self, stamp: int, first: int, noise: int) -> str:
        head = stamp << 16 | 0x7 << 12 | first
        middle = head << 32 | 0b10 << 30 | noise
        text = f"{middle << CHECK_BITS | self._check(middle):032x}"
        # As `str(uuid.UUID(int=…))`, in a third of the time.
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    @staticmethod
    def mark_of(text: str) -> str:
        """The characters of an id at the position of the mark."""
        return text[MARK]

    def created_at(self, text: str) -> float | None:
        """Unix seconds at which this installation gave the id out; None if it never did."""
        try:
            parsed = uuid.UUID(text)
        except ValueError:
            return None
        if str(parsed) != text:  # UUID accepts several spellings; records are stored under one
            return None
        number = parsed.int
        middle = number >> CHECK_BITS
        check = number & (1 << CHECK_BITS) - 1
        if not hmac.compare_digest(check.to_bytes(4), self._check(middle).to_bytes(4)):
            return None
        return (number >> 80) / 1000

    def _noise(self) -> int:
        count = next(self._count).to_bytes(8)
        digest = blake2b(count, key=self._seed, digest_size=6).digest()
        return int.from_bytes(digest) >> 6

    def _check(self, middle: int) -> int:
        return int.from_bytes(blake2b(middle.to_bytes(12), key=self._key, digest_size=4).digest())


def _now() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


def read_or_make_key(path: Path) -> bytes:
    """The installation's id key; processes that start together agree on one key."""
    return read_or_make(path, lambda: secrets.token_bytes(32))
