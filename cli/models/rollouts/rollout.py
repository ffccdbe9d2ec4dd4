"""The command `predictq models rollout`: moves an alias to another version in steps."""

import time
from pathlib import Path
from typing import Any

import click

from cli import find_stack
from cli.http import as_json, as_json_option
from cli.models.causes import cause_of, why_option
from cli.text_table import text_table
from registry.history import Cause
from registry.rollouts.rollout import Rollout, RolloutPlan
from registry.rollouts.rollouts import Rollouts
from registry.splits import meaning_of
from registry.store import Registry

_HEADER = ("ROLLOUT", "ALIAS", "VERSION", "STATUS", "STEP", "SHARE", "FOR", "WHY")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_ACTS = ("status", "pause", "resume", "abort")


class _Steps(click.ParamType[tuple[int, ...]]):
    """Percents, joined by commas."""

    name = "percents"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, ...]:
        """Read an argument."""
        parts = str(value).split(",")
        if not all(part.isascii() and part.isdecimal() for part in parts):
            self.fail(f"{value!r} are no percents, such as 10,50,100")
        return tuple(map(int, parts))


class _Duration(click.ParamType[float]):
    """A number with a unit."""

    name = "duration"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """Read an argument; in seconds."""
        number, unit = str(value)[:-1], str(value)[-1:]
        if unit not in _UNITS or not (number.isascii() and number.isdecimal()):
            self.fail(f"{value!r} is no duration, such as 30s, 10m, 2h or 1d")
        return float(int(number) * _UNITS[unit])


@click.command()
@click.argument("name")
@click.argument("version", default="status", metavar="VERSION|pause|resume|abort|status")
@click.option("--alias", default="production", show_default=True)
@click.option("--steps", type=_Steps(), default="10,50,100", show_default=True)
@click.option("--every", type=_Duration(), default="10m", show_default=True)
@click.option(
    "--requests",
    default=100,
    show_default=True,
    help="Predictions that VERSION must answer at each step.",
)
@click.option("--max-failed", type=float, help="Percent of its predictions that may fail.")
@click.option("--again", is_flag=True, help="Start even if VERSION was rolled back before.")
@why_option
@as_json_option
@find_stack.for_registry
def rollout(name: str, version: str, as_json: bool, home: Path, **options: Any) -> None:
    """Move an alias of NAME to VERSION in steps; or pause, resume, abort or show the rollout.

    A bulk worker of the stack makes the steps. An abort undoes them at once.
    """
    rollouts = Rollouts(Registry(home))
    if version == "status":
        _show(rollouts.all(name), printed_as_json=as_json)
        return
    done = (
        _changed(rollouts, name, version, options)
        if version in _ACTS
        else _started(rollouts, name, version, options)
    )
    _show([done], printed_as_json=True) if as_json else click.echo(_told(done))


def _started(rollouts: Rollouts, name: str, version: str, options: dict[str, Any]) -> Rollout:
    if not (version.isascii() and version.isdecimal() and len(version) < 10):
        raise click.BadParameter(f"{version!r} is neither a version nor one of {', '.join(_ACTS)}")
    plan = RolloutPlan(
        alias=options["alias"],
        version=int(version),
        steps=options["steps"],
        every_seconds=options["every"],
        requests=options["requests"],
        max_failed=options["max_failed"],
    )
    return rollouts.start(name, plan, again=options["again"], cause=cause_of(options["why"]))


def _changed(rollouts: Rollouts, name: str, act: str, options: dict[str, Any]) -> Rollout:
    cause: Cause = cause_of(options["why"])
    found = rollouts.live(name, options["alias"])
    changed: Rollout = getattr(rollouts, act)(name, found.id, cause)
    return changed


def _told(rollout: Rollout) -> str:
    means = meaning_of(rollout.model, rollout.meaning)
    what = f"rollout {rollout.id} of {rollout.model}:{rollout.version} is {rollout.status}"
    return f"{what}: {rollout.model}@{rollout.alias} is {means}"


def _show(rollouts: list[Rollout], *, printed_as_json: bool) -> None:
    if printed_as_json:
        click.echo(as_json(rollouts))
    else:
        click.echo(text_table(_HEADER, map(_line, rollouts)))


def _line(rollout: Rollout) -> tuple[str, ...]:
    return (
        str(rollout.id),
        rollout.alias,
        str(rollout.version),
        rollout.status,
        f"{rollout.step}/{len(rollout.steps)}",
        f"{rollout.share} %",
        f"{max(time.time() - rollout.since, 0):.0f} s",
        rollout.why or "-",
    )
