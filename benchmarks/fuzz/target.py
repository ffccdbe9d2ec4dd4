"""A fuzz target: a parser and valid inputs to start from."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

Parse = Callable[[bytes], object]


class Target(msgspec.Struct, frozen=True):
    """A parser that a caller can reach."""

    name: str
    corpus: Sequence[bytes]
    ready: Callable[[Path], Parse]
    """Returns the parser, which may write to this empty directory and raise `PredictqError`."""
    weight: int = 10
    """Share of all inputs; less for slow targets."""
    may_abort: bool = False
    """Whether its library may abort the process; a worker then loses one pool process, no more."""


def plain(name: str, corpus: Sequence[bytes], parse: Parse) -> Target:
    """A target that needs no directory."""
    return Target(name, corpus, lambda _: parse)
