"""A short proof: faults strike at random, and every accepted id is accounted for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.harness import report
from benchmarks.prove import proof_report
from benchmarks.prove.faults.faults import FAULTS
from stack.process import ROOT
from tests.docs.documents import table

MINUTES = 0.5
STARTING_AND_ENDING = 200


def prove(directory: Path, *arguments: str, within: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", "prove", *arguments],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(directory)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=within,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.timeout(60 * MINUTES + STARTING_AND_ENDING + 10)
def test_proof_loses_nothing_and_finds_nothing_wrong(tmp_path: Path) -> None:
    within = 60 * MINUTES + STARTING_AND_ENDING
    done = prove(tmp_path, "--minutes", str(MINUTES), "--no-naive", within=within)
    assert done.returncode == 0, done.stdout
    print(done.stdout)
    # Stacks whose homes have long paths share a directory for sockets, which stays.
    assert [path for path in tmp_path.rglob("*") if path.name != f"predictq-{os.getuid()}"] == []


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.timeout(310)
def test_naive_design_gets_the_same_faults(tmp_path: Path) -> None:
    kinds = ("--fault", "child-killed", "--fault", "link-cut")
    done = prove(tmp_path, "--minutes", "0.2", *kinds, within=300)
    assert done.returncode == 0, done.stdout
    assert "|  | predictq | naive |" in done.stdout


def test_prove_document_lists_the_faults(tmp_path: Path) -> None:
    told = prove(tmp_path, "--list", within=60).stdout
    described = dict(table(ROOT / "docs" / "prove.md", "What is run"))
    assert described == {name: fault.what for name, fault in FAULTS.items()}
    assert set(described) == {line.split()[0] for line in told.splitlines()}


def test_prove_document_shows_the_latest_run() -> None:
    latest = proof_report.latest()
    assert latest is None or proof_report.PAGE.read_text() == report.page(latest, proof_report.PAGE)
