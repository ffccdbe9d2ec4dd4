"""The commands that make deployments, scale, stop, start and delete them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from msgspec import UNSET

from cli import find_stack
from cli.models.causes import cause_of, why_option
from registry.deploying.deploying import Deploying
from registry.deployments.deployment import MAX_CONCURRENCY, PRODUCTION, Deployment, Scaling
from registry.names import parse_reference
from registry.splits import meaning_of
from registry.store import Registry
from telemetry.errors import Invalid

_UNITS = {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


class _Bytes(click.ParamType[int]):
    """A number of bytes, as 2147483648 or 2GiB."""

    name = "bytes"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """Read an argument."""
        text = str(value).upper()
        unit = next((unit for unit in _UNITS if text.endswith(unit)), "")
        number = text.removesuffix(unit)
        if not number.isdecimal():
            self.fail(f"{value!r} is no number of bytes, such as 2GiB")
        return int(number) * _UNITS.get(unit, 1)


def _limits(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say how much a deployment may use."""
    options: list[Callable[[Any], Any]] = [
        click.option(
            "--concurrency",
            type=click.IntRange(1, MAX_CONCURRENCY),
            help="Number of pool processes [default: 1, or unchanged].",
        ),
        click.option(
            "--memory-limit",
            type=_Bytes(),
            help="Memory of all pool processes together, without the model, such as 2GiB.",
        ),
        click.option(
            "--cpu-limit",
            type=click.FloatRange(0, min_open=True),
            help="Processors to use. No quota is enforced.",
        ),
        click.option(
            "--timeout",
            type=click.FloatRange(0.05, 300),
            help="Seconds that computing a prediction may take.",
        ),
        click.option(
            "--when-stopped",
            type=click.Choice(["refuse", "wait"]),
            help="What to do with requests while the deployment is stopped [default: refuse].",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.argument("model", metavar="MODEL")
@click.option(
    "--environment",
    default=PRODUCTION,
    show_default=True,
    help="The alias that gets the workers.",
)
@_limits
@why_option
@find_stack.for_registry
def deploy(model: str, environment: str, why: str, home: Path, **limits: Any) -> None:
    """Point an alias to MODEL, and give it workers of its own."""
    meant = parse_reference(model)
    if meant.alias is not None:
        raise Invalid(f"name a version, as {meant.name}:3, not an alias")
    registry = Registry(home)
    made = Deploying(registry).deploy(
        meant.name, environment, _scaling(limits), version=meant.version, cause=cause_of(why)
    )
    means = meaning_of(made.model, registry.aliases(made.model)[made.environment])
    click.echo(f"{made.reference} is {means}, {_told(made)}")


@click.command()
@click.argument("name", metavar="NAME[@ENVIRONMENT]")
@_limits
@why_option
@find_stack.for_registry
def scale(name: str, why: str, home: Path, **limits: Any) -> None:
    """Change the limits of a deployment, and replace its worker without downtime."""
    changed = Deploying(Registry(home)).scale(*named(name), _scaling(limits), cause_of(why))
    click.echo(f"{changed.reference} is to have {_told(changed)}")


@click.command("stop")
@click.argument("name", metavar="NAME[@ENVIRONMENT]")
@why_option
@find_stack.for_registry
def end_workers(name: str, why: str, home: Path) -> None:
    """Stop the workers of a deployment. Accepted predictions stay in its queue."""
    stopped = Deploying(Registry(home)).set_state(*named(name), "stopped", cause_of(why))
    told = "are refused" if stopped.refuses else "wait"
    click.echo(f"stopped {stopped.reference}: requests {told}")


@click.command()
@click.argument("name", metavar="NAME[@ENVIRONMENT]")
@why_option
@find_stack.for_registry
def start(name: str, why: str, home: Path) -> None:
    """Start the workers of a deployment again."""
    started = Deploying(Registry(home)).set_state(*named(name), "running", cause_of(why))
    click.echo(f"started {started.reference}, {_told(started)}")


@click.command()
@click.argument("name", metavar="NAME[@ENVIRONMENT]")
@why_option
@find_stack.for_registry
def delete(name: str, why: str, home: Path) -> None:
    """Delete a deployment. Its alias remains, and shared workers compute for it."""
    deleted = Deploying(Registry(home)).delete(*named(name), cause_of(why))
    click.echo(f"deleted the deployment of {deleted.reference}")


def named(name: str) -> tuple[str, str]:
    """The model and the environment of a deployment, by default production."""
    meant = parse_reference(name)
    if meant.version is not None:
        raise Invalid(f"a deployment is {meant.name}@{PRODUCTION}, for instance, not a version")
    return meant.name, meant.alias or PRODUCTION


def _scaling(limits: dict[str, Any]) -> Scaling:
    return Scaling(**{name: UNSET if value is None else value for name, value in limits.items()})


def _told(deployment: Deployment) -> str:
    many = deployment.concurrency
    return f"{many} process{'' if many == 1 else 'es'} of its own"
