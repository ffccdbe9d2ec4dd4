"""Dead letters in groups: those of one version, with one error, whose messages have one shape."""

import re
from collections import defaultdict
from collections.abc import Iterable

import msgspec

from tasks.ledger.dead_letters.letters import Letter

_quoted = re.compile(r"'[^']{0,200}'|\"[^\"]{0,200}\"")
# Possessive: a long run of digits before another letter would be tried at each of its places.
_number = re.compile(r"\b(?:0x)?[a-f]*+\d[0-9a-f.\-]*\b", re.IGNORECASE)
MAX_SHAPE_CHARS = 300
SHOWN_IN_GROUP = 20
"""Letters of a group that the page lists."""


class LetterGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Dead letters with one cause."""

    model: str
    """``model:version``; empty if the messages do not say."""
    code: str
    shape: str
    """The reason without its numbers and quoted texts, which differ from letter to letter."""
    letters: list[Letter]
    """The newest first."""

    @property
    def newest(self) -> Letter:
        """The newest letter."""
        return self.letters[0]


def shape_of(reason: str) -> str:
    """The reason with numbers as ``#`` and quoted texts as ``'…'``."""
    return _number.sub("#", _quoted.sub("'…'", reason[:MAX_SHAPE_CHARS]))


def grouped(letters: Iterable[Letter]) -> list[LetterGroup]:
    """The groups of letters that come newest first; the largest group first."""
    groups: defaultdict[tuple[str, str, str], list[Letter]] = defaultdict(list)
    for letter in letters:
        groups[letter.model, letter.code, shape_of(letter.reason)].append(letter)
    found = [
        LetterGroup(model=model, code=code, shape=shape, letters=members)
        for (model, code, shape), members in groups.items()
    ]
    return sorted(found, key=lambda group: -len(group.letters))
