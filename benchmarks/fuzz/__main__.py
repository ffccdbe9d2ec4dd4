"""`python -m benchmarks.fuzz`: feeds a million mutated inputs to all targets."""

import base64
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import click
import msgspec

from benchmarks.fuzz.feeding import CPU_LIMIT, GROWTH, SHOWN, Fed, Finding
from benchmarks.fuzz.targets.all import TARGETS
from benchmarks.harness import report
from benchmarks.harness.results import Cell, Check, Part, Run, Table
from stack.process import ROOT

HERE = Path(__file__).parent
PROCESSES = 2
NOTE = f"""Inputs are right ones after some mutations, the same for the same seed. A finding is an \
error that is none of ours, {CPU_LIMIT:.0f} s of CPU for an input, a process that dies or \
grows by more than {GROWTH} MiB. Aborted: pyarrow ends the process at some Parquet files; in a \
worker that is a process of the pool, and fails the step of that job alone."""


@click.command()
@click.argument("names", nargs=-1, metavar="[TARGET]...", type=click.Choice([*TARGETS]))
@click.option("--inputs", default=100_000, show_default=True, help="Total number of inputs.")
@click.option("--seed", default=1, show_default=True, help="Seed of the random inputs.")
@click.option("--record", is_flag=True, help="Keep the run: JSON and README.")
def main(names: tuple[str, ...], inputs: int, seed: int, record: bool) -> None:
    """Fuzz every parser that a caller can reach; fails on any finding."""
    started, load, names = time.monotonic(), os.getloadavg()[0], names or (*TARGETS,)
    with tempfile.TemporaryDirectory(prefix="predictq-fuzz-", dir=_memory()) as directory:
        each = partial(_fed, Path(directory), seed)
        with ThreadPoolExecutor(PROCESSES) as pool:
            found = dict(zip(names, pool.map(each, names, _shares(inputs, names)), strict=True))
    run = Run.of(0, load, [_part(found, seed)], time.monotonic() - started)
    click.echo(report.text(run))
    for fed in found.values():
        for finding in fed.findings:
            click.echo(f"\n{finding.target}, {finding.content[:2000]}:\n{finding.what}")
    if record:
        _record(run)
    sys.exit(not run.holds)


def _shares(inputs: int, names: Sequence[str]) -> list[int]:
    whole = sum(TARGETS[name].weight for name in names)
    return [-(-inputs * TARGETS[name].weight // whole) for name in names]


def _fed(directory: Path, seed: int, name: str, inputs: int) -> Fed:
    """Feed a target ``inputs`` inputs; if its library aborts the process, another one continues."""
    last, fed, part = directory / name.replace(" ", "-"), Fed(), 0
    while fed.inputs < inputs:
        fed.add(_in_a_process(last, name, inputs - fed.inputs, f"{seed}.{part}"))
        part += 1
        if fed.findings:
            break
    click.echo(f"{name}: {fed.inputs:,}", err=True)
    return fed


def _in_a_process(last: Path, name: str, inputs: int, seed: str) -> Fed:
    command = [sys.executable, "-m", "benchmarks.fuzz.one", name, str(inputs), seed, str(last)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if ran.returncode == 0:
        return msgspec.json.decode(ran.stdout, type=Fed)
    if ran.returncode == -signal.SIGABRT and TARGETS[name].may_abort:
        return Fed(inputs=int(last.with_suffix(".number").read_text()) + 1, aborted=1)
    said = (
        f"its process ended with {ran.returncode}\n{ran.stderr[-SHOWN:].decode(errors='replace')}"
    )
    content = last.read_bytes() if last.exists() else b""
    return Fed(findings=[Finding(name, said, base64.b64encode(content).decode())])


def _part(found: dict[str, Fed], seed: int) -> Part:
    rows: list[list[Cell]] = [
        [name, fed.inputs, fed.refused, fed.aborted, len(fed.findings)]
        for name, fed in found.items()
    ]
    columns = ["target", "inputs", "refused", "aborted", "findings"]
    findings = sum(len(fed.findings) for fed in found.values())
    table = Table(f"Fuzzed parsers, seed {seed}", columns, rows, NOTE)
    return Part("fuzz", [table], [Check("findings", findings, "at most", 0)])


def _record(run: Run) -> None:
    click.echo(f"recorded {report.record(run, HERE)}")
    page = HERE / report.PAGE
    page.write_text(report.page(run, page))


def _memory() -> str | None:
    """A directory in memory, if there is one."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a directory of its own


if __name__ == "__main__":
    main()
