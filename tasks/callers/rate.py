"""Rates: an amount in a period, written as ``100/s`` or ``1e6/h``."""

import math
from typing import Self

import msgspec

from telemetry.errors import Invalid

PERIODS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
"""Letter → seconds."""
GREATEST_RATE = 1e12


class Rate(msgspec.Struct, frozen=True):
    """An amount that is allowed in a period, evenly spread; a burst may take it at once."""

    amount: float
    seconds: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``100/s``, ``1e6/h``; raises `Invalid`."""
        amount, _, period = text.partition("/")
        try:
            number = float(amount)
        except ValueError:
            number = math.nan
        # Also false for "nan".
        if period not in PERIODS or not 1 <= number <= GREATEST_RATE:
            raise Invalid(
                f"a rate is a number of at least 1 and a period, such as 100/s, 6000/m or 1e6/h, "
                f"not {text[:100]!r}"
            )
        return cls(number, PERIODS[period])

    def __str__(self) -> str:
        letter = next(letter for letter, seconds in PERIODS.items() if seconds == self.seconds)
        return f"{self.amount:.12g}/{letter}"
