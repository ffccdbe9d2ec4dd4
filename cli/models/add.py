"""The `predictq models add` command: registers a file, and checks that the stack serves it."""

import json
from pathlib import Path
from typing import Any

import click
import pandas as pd
from msgspec.structs import replace

from cli import ghosts
from cli.find_stack import not_served
from cli.models.causes import cause_of
from cli.models.commands import home_option
from cli.models.formatting import optimization_text, version_warning
from cli.models.proving.served import wait_until_served
from registry.changes import Changes
from registry.manifest import Description, Manifest, Optimization
from registry.names import checked_name
from registry.store import Registry
from stack.running import RunningStack, running_stack
from tasks.time_limits import MAX_QUEUE_SECONDS, MAX_RUN_SECONDS, MIN_RUN_SECONDS
from telemetry.errors import AnswersDiffer, Invalid, ModelUnloadable
from workers.drift.describing import baseline_of
from workers.environments.entering import enter_for
from workers.environments.requirements import read_requirements
from workers.gate.comparing import gate_differences
from workers.gate.differences import differences_text
from workers.gate.warming import warmed
from workers.models.formats.mlflow.beside import mlflow_example, mlflow_requirements
from workers.models.process_state.guarding import guarded
from workers.models.registration import Examined, examine
from workers.models.signature.inspection import Inspected
from workers.models.signature.own_answers import OwnAnswers
from workers.models.signature.sample import of_rows, read_sample

_VARIES = "two calls with the same rows give different answers, so these were not compared"
_SHOWN = 10
"""How many unknown columns are printed by name."""


@click.command()
@click.argument("name")
@click.argument("file", metavar="MODEL", type=click.Path(path_type=Path))
@click.option(
    "--version", type=click.IntRange(min=1), help="Version number [default: the next one]."
)
@click.option("--alias", help="Point this alias to the version.")
@click.option(
    "--metadata", multiple=True, metavar="KEY=VALUE", help="Metadata, such as a metric; repeatable."
)
@click.option(
    "--sample",
    "--data",
    "sample",
    type=click.Path(path_type=Path),
    help="File with a few hundred rows of the model's data: Parquet, CSV, NDJSON or JSON.",
)
@click.option("--example", type=click.Path(path_type=Path), help="JSON file with example rows.")
@click.option(
    "--classes",
    metavar="A,B,…",
    help="Class labels in order, for files of XGBoost, LightGBM and PyTorch, which number them.",
)
@click.option("--trust", is_flag=True, help="Allow the model to run code when it is loaded.")
@click.option(
    "--code",
    type=click.Path(path_type=Path),
    help="Package, directory of modules, module or wheel that the model needs; kept with it.",
)
@click.option(
    "--requirements",
    multiple=True,
    metavar="FILE|REQUIREMENT",
    help="Packages that the model needs, such as scikit-learn==1.5.2; repeatable.",
)
@click.option(
    "--optimize",
    type=click.Choice(["auto"]),
    help="Let ONNX Runtime compute calls of few rows, if it gives the same answers faster.",
)
@click.option("--exact", is_flag=True, help="One model call per request: equal to the last bit.")
@click.option(
    "--max-queue-seconds",
    type=click.FloatRange(0, MAX_QUEUE_SECONDS, min_open=True),
    metavar="S",
    help="Default for how long a request may wait in the queue.",
)
@click.option(
    "--timeout-seconds",
    type=click.FloatRange(MIN_RUN_SECONDS, MAX_RUN_SECONDS),
    metavar="S",
    help="Default for how long computing a request may take.",
)
@home_option
def add(
    name: str,
    file: Path,
    version: int | None,
    alias: str | None,
    metadata: tuple[str, ...],
    sample: Path | None,
    example: Path | None,
    classes: str | None,
    trust: bool,
    code: Path | None,
    requirements: tuple[str, ...],
    optimize: str | None,
    exact: bool,
    max_queue_seconds: float | None,
    timeout_seconds: float | None,
    home: Path,
) -> None:
    """Register MODEL as a version of the model NAME.

    MODEL is a file, whose content tells its format: skops, ONNX, XGBoost (JSON, UBJ), LightGBM
    (text), CatBoost (cbm); PMML with --sample; joblib and pickle with --trust, PyTorch with both.
    Or it is a directory that MLflow saved, or Python code with --trust and --sample: module:name or
    file.py:name, a function or a class.
    """
    if sample and example:
        raise Invalid("give either --sample or --example")
    if optimize and not sample:
        raise Invalid("--optimize compares answers on a sample; give --sample")
    requirements = requirements or mlflow_requirements(file)
    made = enter_for(requirements, home, click.echo)
    rows = read_sample(sample) if sample else _example_rows(example, file)
    found = examine(
        file,
        trust=trust,
        sample=rows,
        metadata=_pairs(metadata),
        typed=sample is not None,
        labels=_labels(classes),
        code=code,
    )
    description = replace(
        found.description,
        exact=exact,
        optimization=_optimization(found) if optimize else None,
        max_queue_seconds=max_queue_seconds,
        timeout_seconds=timeout_seconds,
        environment=made and made.described(read_requirements(requirements).packages),
    )
    registry, stack = Registry(home), running_stack(home)
    if alias is not None:
        checked_name(alias, "alias")
    with found.imported(), guarded():
        own = _prove_offline(name, description, found)
        state, golden = warmed(found, waits_for_stack=stack is not None)
    manifest = registry.add(
        *(name, description, found.content),
        version=version,
        state=state,
        golden=golden,
        baseline=baseline_of(description.signature, found.inspected.own_answers),
        lock=None if made is None else made.lock,
        cause=cause_of(),
    )
    if stack and manifest.example is not None:
        _prove(registry, stack, manifest, own if sample else None)
    if alias is not None:  # last, so that it never points to a version that cannot be served
        Changes(registry).set_alias(name, alias, manifest.version, cause=cause_of())
    _report(manifest, alias, stack, found.inspected, own if sample else None)
    if own is None and found.inspected.own_answers is not None:
        click.echo(_VARIES)
    if stack is None:
        click.echo(not_served(home))


def _example_rows(example: Path | None, model: Path) -> pd.DataFrame | None:
    """The rows of ``--example``, else those that MLflow saved with the model, if it did."""
    rows = mlflow_example(model) if example is None else _examples(example)
    return None if rows is None else of_rows(rows)


def _examples(path: Path) -> Any:
    """Read example rows. The standard parser accepts NaN, which data frames write."""
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise Invalid(f"{path} is not JSON: {error}") from error
    except RecursionError as error:
        raise Invalid(f"{path} is nested too deeply") from error


def _pairs(metadata: tuple[str, ...]) -> dict[str, str]:
    pairs = [entry.partition("=") for entry in metadata]
    for key, sign, value in pairs:
        if not (key and sign):
            raise Invalid(f"metadata must be KEY=VALUE, not {key + sign + value!r}")
    return {key: value for key, _, value in pairs}


def _labels(classes: str | None) -> tuple[Any, ...] | None:
    """The labels of ``--classes``: whole numbers if all of them are, else text."""
    if classes is None:
        return None
    labels = tuple(label.strip() for label in classes.split(","))
    if len(set(labels)) < len(labels) or not all(labels):
        raise Invalid("classes are different labels, separated by commas")
    try:
        return tuple(map(int, labels))
    except ValueError:
        return labels


def _optimization(found: Examined) -> Optimization | None:
    from workers.models.optimizing.choosing import choose  # noqa: PLC0415 - it imports much

    own = found.inspected.own_answers
    if own is None:
        return None
    with found.imported():
        return choose(found.model, found.description.signature, own.frame)


def _prove_offline(name: str, description: Description, found: Examined) -> OwnAnswers | None:
    """Check that each door gives the model's own answers, before the version is registered.

    Returns the answers that the stack has to give, if there are any.
    """
    own = found.inspected.own_answers
    if own is None:
        return None
    wrong, varies = gate_differences(found.model, description.signature, own)
    if wrong:
        raise AnswersDiffer(differences_text(name, wrong))
    return None if varies else own


def _prove(
    registry: Registry, stack: RunningStack, manifest: Manifest, own: OwnAnswers | None
) -> None:
    """Check that the stack serves a version: it is ready then, or refused unless it was ready."""
    was = registry.readiness(manifest)
    try:
        wait_until_served(stack, manifest)
        if own is not None:
            from cli.models.proving.gate import prove_served  # noqa: PLC0415 - the worker image has no client

            prove_served(stack.url, manifest, own)
    except (ModelUnloadable, AnswersDiffer) as error:
        if was.status == "ready":
            raise
        registry.set_state(manifest, was.with_status("refused", error.message))
        ghosts.remove_ghosts(stack.redis_url, [manifest.reference], tell=lambda _: None)
        what = manifest.reference
        raise type(error)(
            f"{error.message}; {what} is refused, and no name or alias resolves to it"
        ) from error
    if was.status != "ready":
        registry.set_state(manifest, was.with_status("ready"))


def _report(
    manifest: Manifest,
    alias: str | None,
    stack: RunningStack | None,
    found: Inspected,
    compared: OwnAnswers | None,
) -> None:
    what = manifest.reference
    pointed = f", alias {alias}" if alias else ""
    click.echo(f"registered {what}{pointed} (sha256 {manifest.sha256[:12]})")
    if warning := version_warning(manifest):
        click.echo(f"warning: {warning}")
    if manifest.optimization is not None:
        click.echo(optimization_text(manifest.optimization))
    if found.unknown:
        shown = ", ".join(found.unknown[:_SHOWN]) + (", …" if len(found.unknown) > _SHOWN else "")
        click.echo(f"unknown - give --sample: columns {shown}")
    if compared is not None:
        by = "the stack" if stack else "every door"
        click.echo(f"proved on {_count(len(compared.frame))}: {by} answers as the model does")
    if stack and manifest.example is None:
        click.echo("could not check that the stack serves it: no valid row of the model is known")
        click.echo("give rows with --sample")
    elif stack:
        click.echo(f"serving {what} at {stack.url}")


def _count(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows:,} rows"
