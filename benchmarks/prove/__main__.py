"""`python -m benchmarks.prove`: faults against predictq, then against the naive design."""

import os
import random
import shutil
import signal
import sys
from pathlib import Path
from tempfile import mkdtemp

import click
import msgspec

from benchmarks.harness import candidates
from benchmarks.harness.bench import register
from benchmarks.harness.results import Run
from benchmarks.prove import proof_report
from benchmarks.prove.faults.faults import FAULTS
from benchmarks.prove.proof import Proof, Storming, prove
from benchmarks.prove.witness import witness

SHARE = 0.2
"""Share of time and load for the naive design, which can take no more and loses ids sooner."""


@click.command()
@click.option("--minutes", default=5.0, show_default=True, help="Length of the storm.")
@click.option("--seed", type=int, help="Seed of the faults; by default a new one.")
@click.option("--rate", default=150.0, show_default=True, help="Submissions a second.")
@click.option(
    "--fault",
    "names",
    multiple=True,
    type=click.Choice(list(FAULTS)),
    help="Inject only this fault; may be repeated.",
)
@click.option("--list", "only_list", is_flag=True, help="List the faults.")
@click.option(
    "--visibility-timeout",
    default=3.0,
    show_default=True,
    type=click.FloatRange(2),
    help="Seconds after which the work of a dead worker is given to another.",
)
@click.option(
    "--naive/--no-naive", default=True, help="Test the naive design, too, for a fifth as long."
)
@click.option("--record", is_flag=True, help="Keep the run: JSON, and docs/prove.md.")
def main(
    minutes: float,
    seed: int | None,
    rate: float,
    names: tuple[str, ...],
    only_list: bool,
    visibility_timeout: float,
    naive: bool,
    record: bool,
) -> None:
    """Inject faults into a private stack under load, and account for every accepted id."""
    if only_list:
        click.echo("\n".join(f"{name:<18} {fault.what}" for name, fault in FAULTS.items()))
        return
    seed = random.randrange(2**32) if seed is None else seed
    click.echo(f"seed {seed}", err=True)
    if record and (names or not naive):
        raise click.UsageError("what is recorded is a whole run")
    _leave_nothing_to_the_environment()
    load, directory = os.getloadavg()[0], Path(mkdtemp(prefix="predictq-prove-"))
    storming = Storming(minutes * 60, rate, seed, visibility_timeout, list(names or FAULTS))
    proofs = [_predictq(directory / "predictq", storming)]
    if naive:
        proofs.append(_naive(directory / "naive", storming))
    run = Run.of(storming.seconds, load, [proof_report.part(storming, proofs)])
    click.echo(proof_report.text(run))
    if record:
        click.echo(f"recorded {proof_report.record(run, storming, proofs)}")
    if run.holds:
        shutil.rmtree(directory)
    else:
        click.echo(f"homes, logs and what is missing: {directory}")
        proof_report.keep(directory / "missing.json", proofs)
    sys.exit(not run.holds)


def _predictq(directory: Path, storming: Storming) -> Proof:
    directory.mkdir()
    models = [witness(name, directory) for name in ("steady", "unruly")]
    for model in models:
        register(model, directory)
    return prove(candidates.predictq(directory), models, storming)


def _naive(directory: Path, storming: Storming) -> Proof:
    """Prove the naive design with `SHARE` of the load and time."""
    directory.mkdir()
    model = witness("steady", directory)
    less = msgspec.structs.replace(
        storming, seconds=storming.seconds * SHARE, rate=storming.rate * SHARE
    )
    return prove(candidates.naive(directory, model.path), [model], less)


def _leave_nothing_to_the_environment() -> None:
    """Drop settings of a stack from the environment, and let signals end all processes."""
    for name in [name for name in os.environ if name.startswith("PREDICTQ_")]:
        del os.environ[name]
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


if __name__ == "__main__":
    main()
