"""`python -m benchmarks.zoo`: realistic models; served predictions must equal their own."""

import os
import shutil
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import msgspec

from benchmarks.harness.report import END, START
from benchmarks.zoo.all import BY_NAME
from benchmarks.zoo.exhibits.company import Company, company
from benchmarks.zoo.report import text
from benchmarks.zoo.visiting import SAMPLES, Visit, visit

RUN, PAGE = Path(__file__).parent / "run.json", Path(__file__).parent / "README.md"
THIRD = 3
"""Every third model is also registered with a CSV sample, unless models are named."""


@click.command()
@click.argument("names", nargs=-1, metavar="[MODEL]...", type=click.Choice([*BY_NAME]))
@click.option(
    "--sample",
    "samples",
    multiple=True,
    type=click.Choice(SAMPLES),
    help="Register with these samples only.",
)
@click.option(
    "--record", is_flag=True, help="Keep the results: README and JSON, in place of the last."
)
def main(names: tuple[str, ...], samples: tuple[str, ...], record: bool) -> None:
    """Register models with and without a sample, and compare served predictions with their own."""
    _prepare()
    with TemporaryDirectory(prefix="predictq-zoo-") as directory, company(Path(directory)) as stack:
        ways = [*_ways(names, samples or SAMPLES)]
        visits = [_visited(stack, *way, Path(directory) / "files") for way in ways]
    click.echo(text(visits))
    if record:
        _record(visits)
    sys.exit(not all(each.is_right or each.is_unknown for each in visits))


def _ways(names: Sequence[str], samples: Sequence[str]) -> Iterator[tuple[str, str]]:
    for index, name in enumerate(names or BY_NAME):
        for sample in samples:
            if sample != "csv" or names or not index % THIRD:
                yield name, sample


def _visited(stack: Company, name: str, sample: str, directory: Path) -> Visit:
    directory.mkdir()
    try:
        seen = visit(stack, name, BY_NAME[name](), sample, directory)
    finally:
        shutil.rmtree(directory)
    how = "equal" if seen.is_equal else "refused somewhere" if seen.is_right else "DIFFERENT"
    click.echo(f"{name}, sample {sample}: {how}", err=True)
    return seen


def _prepare() -> None:
    """Drop settings of a stack from the environment, and let signals end all processes."""
    warnings.simplefilter("ignore")
    for name in [name for name in os.environ if name.startswith("PREDICTQ_")]:
        del os.environ[name]
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


def _record(visits: list[Visit]) -> None:
    found = {(each.name, each.sample): each for each in (*_recorded(), *visits)}
    ways = [(name, sample) for name in BY_NAME for sample in SAMPLES]
    kept = [found[way] for way in ways if way in found]
    RUN.write_bytes(msgspec.json.format(msgspec.json.encode(kept)) + b"\n")
    before, _, rest = PAGE.read_text().partition(START)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{START}\n{text(kept)}\n{END}{after}")


def _recorded() -> list[Visit]:
    return msgspec.json.decode(RUN.read_bytes(), type=list[Visit]) if RUN.exists() else []


if __name__ == "__main__":
    main()
