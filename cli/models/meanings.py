"""What an alias means, as arguments of commands: ``3``, and for a split ``3=90 4=10``."""

from typing import Any

import click

from registry.splits import Meaning, Shares, parse_meaning


class MeaningType(click.ParamType[Meaning]):
    """A version, or the shares of a split, joined by commas."""

    name = "version"

    def convert(self, value: Any, param: Any, ctx: Any) -> Meaning:
        """Read an argument."""
        meaning = parse_meaning(value)
        if meaning is None:
            self.fail(f"{value!r} is no version, such as 3, and no split, such as 3=90,4=10")
        return meaning


def shares_given(_context: Any, _parameter: Any, given: tuple[str, ...]) -> Shares:
    """The shares in several arguments."""
    meaning = parse_meaning(",".join(given))
    if meaning is None or isinstance(meaning, int):
        said = " ".join(given)
        raise click.BadParameter(f"give each version with its percent, as 3=90 4=10, not {said!r}")
    return meaning
