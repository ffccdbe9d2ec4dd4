"""The baseline of a version: how the values of its sample are spread, for drift."""

from hashlib import blake2b
from itertools import accumulate
from typing import Literal

import msgspec


class BaselineFeature(msgspec.Struct, frozen=True, omit_defaults=True):
    """A column of the rows, or an output of the model: how many rows of the sample had what.

    ``counts`` begin with the missing values. Those of an ordered feature go on with the values up
    to each of ``edges`` and above all of them: below the sample's least value first, above its
    greatest last. Those of a named one go on with all other values, then each of ``names``.
    """

    name: str
    kind: Literal["column", "output"]
    counts: tuple[int, ...]
    edges: tuple[float, ...] = ()
    """Ascending; empty for a named feature."""
    names: tuple[str, ...] = ()
    """The frequent values."""

    @property
    def is_ordered(self) -> bool:
        """Whether its values are numbers or times."""
        return bool(self.edges)


class Baseline(msgspec.Struct, frozen=True):
    """The distribution of the values in a sample."""

    rows: int
    features: tuple[BaselineFeature, ...]

    @property
    def starts(self) -> list[int]:
        """Where the counts of each feature begin in one list of all counts; its length is last."""
        return [0, *accumulate(len(feature.counts) for feature in self.features)]

    @property
    def digest(self) -> str:
        """A hash: counts are added up only if they are of one baseline."""
        return blake2b(msgspec.json.encode(self), digest_size=6).hexdigest()
