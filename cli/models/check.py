"""The `predictq models check` command: compares served predictions with the model's own."""

from pathlib import Path

import click
from msgspec.structs import replace

from cli.models.commands import home_option
from cli.models.proving.served import wait_until_served
from registry.manifest import Manifest
from registry.store import Registry
from stack.running import running_stack
from telemetry.errors import AnswersDiffer, ModelUnloadable
from workers.environments.entering import enter_environment_of
from workers.gate.comparing import differences
from workers.gate.differences import differences_text
from workers.gate.doors import DOORS
from workers.models.artifacts import load_artifact
from workers.models.engine import SklearnEngine
from workers.models.golden import check_golden_rows, golden_frame
from workers.models.process_state.guarding import guarded
from workers.models.signature.inspection import quietly
from workers.models.signature.names import Names
from workers.models.signature.own_answers import OwnAnswers, own_answers_of
from workers.models.signature.sample import read_sample


@click.command()
@click.argument("model")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="File with rows to compare: Parquet, CSV, NDJSON or JSON [default: the golden rows].",
)
@home_option
def check(model: str, data: Path | None, home: Path) -> None:
    """Compare the served predictions of MODEL with the model's own.

    If they are equal, the version becomes ready.

    The rows are those of a file, or the golden rows: the first rows of the sample that MODEL was
    registered with. Each row is sent as JSON, Arrow, CSV, NDJSON and Parquet; if a stack runs, also
    through the stack.
    """
    registry, stack = Registry(home), running_stack(home)
    manifest = registry.resolve(model).manifest
    enter_environment_of(manifest, registry, home)
    state = registry.readiness(manifest)
    try:
        own = _compare(registry, manifest, data)
        if stack:
            from cli.models.proving.gate import prove_served  # noqa: PLC0415 - the worker image has no client

            wait_until_served(stack, manifest)
            prove_served(stack.url, manifest, own)
    except (ModelUnloadable, AnswersDiffer) as error:
        if state.status != "ready":
            registry.set_state(manifest, state.with_status("refused", error.message))
        raise
    if state.status != "ready":
        registry.set_state(manifest, state.with_status("ready"))
    _report(manifest, own, stack.url if stack else None)


def _compare(registry: Registry, manifest: Manifest, data: Path | None) -> OwnAnswers:
    """The model's own answers, after comparing them with those of each door."""
    golden = registry.golden_rows(manifest)
    registry.check_signature(manifest)
    loaded = load_artifact(registry.artifact(manifest), manifest)
    if golden is not None:
        check_golden_rows(SklearnEngine(registry), manifest, golden)
    sample = read_sample(data) if data else golden_frame(manifest, golden)
    with loaded.imported(), quietly(), guarded():
        own = own_answers_of(loaded.estimator, _names(manifest), sample)
    own = _of_version(own, manifest)
    with loaded.imported(), guarded():
        wrong = differences(loaded.estimator, manifest.signature, own)
    if wrong:
        raise AnswersDiffer(differences_text(manifest.reference, wrong))
    return own


def _names(manifest: Manifest) -> Names:
    signature = manifest.signature
    names = tuple(column.name for column in signature.columns)
    return Names(names, signature.named, signature.frame, fixed=not signature.flat)


def _of_version(own: OwnAnswers, manifest: Manifest) -> OwnAnswers:
    """Drop the answers of methods that the version does not offer."""
    offered = manifest.signature.methods
    answers = {method: answer for method, answer in own.answers.items() if method in offered}
    return replace(own, answers=answers)


def _report(manifest: Manifest, own: OwnAnswers, url: str | None) -> None:
    click.echo(f"{manifest.reference} is served as the model answers by itself:")
    click.echo(f"  {len(own.frame):,} rows, {', '.join(own.answers)}")
    click.echo(f"  by {', '.join(DOORS)}{f', and through {url}' if url else ''}")
    if url is None:
        click.echo("no stack runs, so it was not asked")
