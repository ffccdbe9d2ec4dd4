"""The commands of `predictq models` that move aliases and show what became of them."""

import json
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec import UNSET

from cli import find_stack
from cli.models.causes import cause_of, why_option
from cli.text_table import text_table
from registry.changes import AliasState, Changes
from registry.history import Change
from registry.splits import Meaning, Shares, meaning_of, meaning_text, parse_meaning
from registry.store import Registry

_HEADER = ("TIME", "CHANGE", "BY", "WHY")


class _MeaningType(click.ParamType[Meaning]):
    """A version, or the shares of a split, joined by commas."""

    name = "version"

    def convert(self, value: Any, param: Any, ctx: Any) -> Meaning:
        """Read an argument."""
        meaning = parse_meaning(value)
        if meaning is None:
            self.fail(f"{value!r} is no version, such as 3, and no split, such as 3=90,4=10")
        return meaning


_expect_option = click.option(
    "--expect", type=_MeaningType(), help="Fail unless the alias means this version or split."
)


@click.command()
@click.argument("name")
@click.argument("alias")
@click.argument("version", type=int)
@_expect_option
@why_option
@find_stack.for_registry
def alias(
    name: str, alias: str, version: int, expect: Meaning | None, why: str, home: Path
) -> None:
    """Point ALIAS of the model NAME to VERSION."""
    _set(home, name, alias, version, expect, why)


def _shares_given(_context: Any, _parameter: Any, given: tuple[str, ...]) -> Shares:
    """The shares in several arguments."""
    meaning = parse_meaning(",".join(given))
    if meaning is None or isinstance(meaning, int):
        said = " ".join(given)
        raise click.BadParameter(f"give each version with its percent, as 3=90 4=10, not {said!r}")
    return meaning


@click.command()
@click.argument("name")
@click.argument("alias")
@click.argument(
    "shares", nargs=-1, required=True, callback=_shares_given, metavar="VERSION=PERCENT..."
)
@_expect_option
@why_option
@find_stack.for_registry
def split(
    name: str, alias: str, shares: Shares, expect: Meaning | None, why: str, home: Path
) -> None:
    """Split ALIAS of the model NAME: each version answers its percent of the requests."""
    _set(home, name, alias, shares, expect, why)


@click.command()
@click.argument("name")
@click.argument("alias")
@_expect_option
@why_option
@find_stack.for_registry
def unalias(name: str, alias: str, expect: Meaning | None, why: str, home: Path) -> None:
    """Delete ALIAS of the model NAME. The version remains."""
    _report(
        Changes(Registry(home)).remove_alias(
            name, alias, expected=expect or UNSET, cause=cause_of(why)
        )
    )


@click.command()
@click.argument("name")
@click.argument("alias", default="production")
@_expect_option
@why_option
@find_stack.for_registry
def rollback(name: str, alias: str, expect: Meaning | None, why: str, home: Path) -> None:
    """Point ALIAS [default: production] of NAME to the version that it meant before."""
    _report(
        Changes(Registry(home)).rollback(name, alias, expected=expect or UNSET, cause=cause_of(why))
    )


@click.command()
@click.argument("name")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@find_stack.for_registry
def history(name: str, limit: int, as_json: bool, home: Path) -> None:
    """List the changes of the model NAME, newest first."""
    changes = Registry(home).history(name)[: -limit - 1 : -1]
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(changes), indent=2))
    else:
        click.echo(text_table(_HEADER, (_line(name, change) for change in changes)))


def _set(
    home: Path, name: str, alias: str, meaning: Meaning, expect: Meaning | None, why: str
) -> None:
    _report(
        Changes(Registry(home)).set_alias(
            name, alias, meaning, expected=expect or UNSET, cause=cause_of(why)
        )
    )


def _report(state: AliasState) -> None:
    name = f"{state.model}@{state.alias}"
    if state.version is None:
        click.echo(f"deleted {name}, which was {_words(state, state.previous)}")
        return
    was = f", it was {_words(state, state.previous)}" if state.previous and state.changed else ""
    click.echo(f"{name} is {_words(state, state.version)}{was}")


def _words(state: AliasState, meaning: Meaning | None) -> str:
    return "unknown" if meaning is None else meaning_of(state.model, meaning)


def _line(name: str, change: Change) -> tuple[Any, ...]:
    if change.dropped:
        what = f"{change.dropped} changes until then are not kept"
    elif change.deployment:
        what = f"{change.deployment.reference} {change.act}, {change.deployment.concurrency} wanted"
    elif change.alias is None:
        what = f"{name}:{change.version} {change.act}"
    else:
        both = (change.before, change.after)
        meant = ["-" if meaning is None else meaning_text(meaning) for meaning in both]
        act = "rolled back" if change.act == "rollback" else "moved"
        what = f"{name}@{change.alias} {act}: {' to '.join(meant)}"
    return change.time, what, change.by or "-", change.why or "-"
