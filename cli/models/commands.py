"""The `predictq models` commands, which manage the registry."""

from pathlib import Path
from typing import Any, ClassVar

import click
import msgspec

from cli import find_stack
from cli.failure import Failure
from cli.lazy import LazyCommand, LazyGroup
from cli.models.formatting import models_table, version_text
from registry.store import Registry
from telemetry.errors import PredictqError


class RegistryGroup(LazyGroup):
    """Prints our errors in one line."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except PredictqError as error:
            raise Failure(error.message) from error
        except OSError as error:
            raise Failure(str(error)) from error


class _Group(RegistryGroup):
    lazy_commands: ClassVar = {
        "add": LazyCommand(
            "cli.models.add:add",
            "Register MODEL as a version of the model NAME.",
        ),
        "alias": LazyCommand(
            "cli.models.aliases:alias", "Point ALIAS of the model NAME to VERSION."
        ),
        "cache": LazyCommand(
            "cli.models.settings.cache:cache",
            "Set whether answers of the model NAME are reused for equal rows, or for how long.",
        ),
        "check": LazyCommand(
            "cli.models.check:check",
            "Compare the served predictions of MODEL with the model's own.",
        ),
        "compare": LazyCommand(
            "cli.models.rollouts.compare:compare",
            "Compare the versions of a split alias of NAME by errors and latency.",
        ),
        "deploy": LazyCommand(
            "cli.deployments.changing:deploy",
            "Point an alias to MODEL, and give it workers of its own.",
        ),
        "drift": LazyCommand(
            "cli.models.drift.drift:drift",
            "Show how far rows and answers of a version of NAME have drifted from its sample.",
        ),
        "export": LazyCommand(
            "cli.models.exporting.export:export",
            "Write MODEL to the new folder DIR: artifact, sample, manifest, and a loader.",
        ),
        "history": LazyCommand(
            "cli.models.aliases:history", "List the changes of the model NAME, newest first."
        ),
        "keep-latest": LazyCommand(
            "cli.models.remove:keep_latest",
            "Keep the COUNT newest versions of NAME, and those that are in use.",
        ),
        "label": LazyCommand(
            "cli.models.truths.label:label",
            "Tell what came true of the prediction ID: LABEL, or those of a file.",
        ),
        "load": LazyCommand(
            "cli.models.version_acts:load", "Load NAME:VERSION in every worker of the stack."
        ),
        "pause": LazyCommand(
            "cli.models.version_acts:pause",
            "Refuse submissions to NAME:VERSION and park its queued messages until it is resumed.",
        ),
        "quality": LazyCommand(
            "cli.models.truths.quality:quality",
            "Show how good NAME:VERSION is, day by day, by what came true.",
        ),
        "quantize": LazyCommand(
            "cli.models.quantize:quantize",
            "Write NETWORK with weights of 8 bits to OUTPUT, an ONNX file, and compare both.",
        ),
        "remove": LazyCommand(
            "cli.models.remove:remove",
            "Remove MODEL: one version (name:version), or all of them (name).",
        ),
        "resume": LazyCommand(
            "cli.models.version_acts:resume",
            "End the pause of NAME:VERSION, automatic or by an operator.",
        ),
        "rollback": LazyCommand(
            "cli.models.aliases:rollback",
            "Point ALIAS [default: production] of NAME to the version that it meant before.",
        ),
        "rollout": LazyCommand(
            "cli.models.rollouts.rollout:rollout",
            "Move an alias of NAME to VERSION in steps; or pause, resume, abort or show the "
            "rollout.",
        ),
        "shadow": LazyCommand(
            "cli.models.rollouts.shadow:shadow",
            "Copy a share of an alias's predictions to VERSION of NAME, and compare the answers.",
        ),
        "split": LazyCommand(
            "cli.models.aliases:split",
            "Split ALIAS of the model NAME: each version answers its percent of the requests.",
        ),
        "status": LazyCommand(
            "cli.models.status:status",
            "Show how each version is served: state, aliases, workers that hold it, counts, "
            "latencies.",
        ),
        "unload": LazyCommand(
            "cli.models.version_acts:unload",
            "Unload NAME:VERSION in every worker. The next prediction loads it again.",
        ),
        "unalias": LazyCommand(
            "cli.models.aliases:unalias", "Delete ALIAS of the model NAME. The version remains."
        ),
    }


home_option = find_stack.for_registry
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(cls=_Group)
def models() -> None:
    """Register, list and remove models."""


@models.command("list")
@_as_json
@home_option
def list_(as_json: bool, home: Path) -> None:
    """List the models with their versions and aliases."""
    registry = Registry(home)
    click.echo(_json(_overview(registry)) if as_json else models_table(registry))


@models.command()
@click.argument("model")
@_as_json
@home_option
def show(model: str, as_json: bool, home: Path) -> None:
    """Show a version of MODEL (name, name:version or name@alias)."""
    registry = Registry(home)
    manifest = registry.resolve(model).manifest
    click.echo(_json(manifest) if as_json else version_text(registry, manifest))


@models.command()
@click.argument("model", metavar="NAME:VERSION")
@home_option
def sign(model: str, home: Path) -> None:
    """Sign the manifest of a version that came from another home, if you trust the code in it."""
    registry = Registry(home)
    manifest = registry.resolve(model).manifest
    registry.sign(manifest)
    click.echo(f"signed {manifest.reference} (sha256 {manifest.sha256[:12]})")


def _overview(registry: Registry) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "versions": [manifest.version for manifest in registry.versions(name)],
            "latest": registry.latest(name),
            "aliases": registry.aliases(name),
        }
        for name in registry.models()
    ]


def _json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value)).decode()
