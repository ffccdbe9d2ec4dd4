"""What is fed: a parser, and right inputs for it to begin with."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

Parse = Callable[[bytes], object]


class Target(msgspec.Struct, frozen=True):
    """A parser that a caller reaches."""

    name: str
    corpus: Sequence[bytes]
    ready: Callable[[Path], Parse]
    """Gives the parser, which may write into this empty directory. It raises errors of the tree."""
    weight: int = 10
    """Its share of all inputs: less for what takes long."""
    may_abort: bool = False
    """Whether its library may abort the process; a process of the pool is lost by that, no more."""


def plain(name: str, corpus: Sequence[bytes], parse: Parse) -> Target:
    """A target that needs no directory."""
    return Target(name, corpus, lambda _: parse)
