"""The meaning of an alias: one version, or a split that gives each of several versions a share."""

import math
import re
from collections.abc import Iterable, Mapping
from hashlib import blake2b

from telemetry.errors import Detail, Invalid

Shares = dict[int, int]
"""Version → percent of the requests."""
Meaning = int | Shares
"""The number of one version, or the shares of a split."""
MAX_VERSIONS = 16
"""Versions of one split."""
_WHOLE = 100
_POSITIONS = 2**64
_NUMBER = "[1-9][0-9]{0,8}"
_meaning = re.compile(rf"{_NUMBER}|{_NUMBER}=[0-9]{{1,3}}(?:,{_NUMBER}=[0-9]{{1,3}})*")


def shares_of(meaning: Meaning) -> Shares:
    """The share of each version."""
    return {meaning: _WHOLE} if isinstance(meaning, int) else meaning


def main_version(meaning: Meaning) -> int:
    """The version with the greatest share; of equal ones, the oldest."""
    shares = shares_of(meaning)
    return max(sorted(shares), key=shares.__getitem__)


def meaning_text(meaning: Meaning) -> str:
    """A meaning as commands and entity tags write it: ``3``, or ``3=90,4=10``."""
    if isinstance(meaning, int):
        return str(meaning)
    return ",".join(f"{version}={share}" for version, share in sorted(meaning.items()))


def parse_meaning(text: str) -> Meaning | None:
    """The meaning in a text of `meaning_text`; None for any other text. The shares are not
    checked.
    """
    if not _meaning.fullmatch(text):
        return None
    pairs = [part.partition("=") for part in text.split(",")]
    if not pairs[0][1]:
        return int(text)
    shares = {int(version): int(share) for version, _, share in pairs}
    return shares if len(shares) == len(pairs) else None


def meaning_of(name: str, meaning: Meaning) -> str:
    """A meaning in words: ``churn:3``, or ``90 % churn:3, 10 % churn:4``."""
    if isinstance(meaning, int):
        return f"{name}:{meaning}"
    return ", ".join(f"{share} % {name}:{version}" for version, share in sorted(meaning.items()))


def checked_shares(shares: Shares) -> Shares:
    """Return shares that make a split, else raise `Invalid`."""
    if not 2 <= len(shares) <= MAX_VERSIONS:
        raise _invalid(f"a split has 2 to {MAX_VERSIONS} versions, not {len(shares)}")
    if wrong := [version for version, share in shares.items() if not 0 < share < _WHOLE]:
        raise _invalid(f"the share of version {wrong[0]} must be 1 to 99, in percent")
    if (total := sum(shares.values())) != _WHOLE:
        raise _invalid(f"the shares of a split sum to 100, not to {total}")
    return shares


def chosen_version(name: str, alias: str, shares: Shares, key: bytes) -> int:
    """The version of a split that answers the requests with this key, in every process.

    Each version draws a number by a hash of model, alias, key and version, as a race that a greater
    share wins more often. So a version whose share alone grows keeps all keys that it had.
    """
    return min(shares, key=lambda version: _time(name, alias, version, key) / shares[version])


def _time(name: str, alias: str, version: int, key: bytes) -> float:
    """An exponentially distributed number."""
    digest = blake2b(b"%s@%s:%d\n" % (name.encode(), alias.encode(), version), digest_size=8)
    digest.update(key)
    return -math.log((int.from_bytes(digest.digest()) + 1) / _POSITIONS)


def versions_in(meanings: Iterable[Meaning]) -> set[int]:
    """Every version that one of these leads to."""
    return {version for meaning in meanings for version in shares_of(meaning)}


def pointing_to(aliases: Mapping[str, Meaning], versions: Iterable[int]) -> list[str]:
    """The aliases that lead to one of these versions, sorted."""
    wanted = set(versions)
    return sorted(alias for alias, meaning in aliases.items() if wanted & shares_of(meaning).keys())


def _invalid(message: str) -> Invalid:
    return Invalid(message, errors=[Detail(("version",), message)])
