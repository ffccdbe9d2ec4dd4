"""`python -m benchmarks.mutants.survey SCRIPTS RESULTS`, run in a copy of the repository.

Tests all mutants that RESULTS, a JSON file, does not hold yet.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.mutants.forking import ForkingLoop
from benchmarks.mutants.lua import Mutant, mutants

SCRIPTS = Path("tasks/ledger/scripts")
OPTIONS = "-q", "-x", "-m", "not slow", "-p", "no:cacheprovider"
TESTS = "tests/integration/ledger"


def known_states(results: Path) -> dict[str, str]:
    """What is known of each mutant: its name, and ``killed`` or ``lives``."""
    known: dict[str, str] = json.loads(results.read_text()) if results.exists() else {}
    return known


class Survey:
    """The mutants of some scripts, and what becomes of each."""

    def __init__(self, scripts: str, results: Path) -> None:
        self._scripts = sorted(SCRIPTS.glob(scripts))
        self._results = results
        self._known = known_states(results)

    def pending(self) -> Iterator[tuple[Mutant, Path]]:
        """Yield each mutant of which nothing is known, and its script."""
        for script in self._scripts:
            for mutant in mutants(script):
                if mutant.name not in self._known:
                    yield mutant, script

    def record(self, mutant: Mutant, killed: bool) -> None:
        """Write at once, so that a survey can be interrupted."""
        state = "killed" if killed else "lives"
        self._known[mutant.name] = state
        self._results.write_text(json.dumps(self._known, indent=1))
        print(f"{state:8} {mutant.name}", flush=True)


def main(scripts: str, results: str) -> int:
    """Survey the scripts that match a pattern of file names; 0 if that could be done."""
    survey = Survey(scripts, Path(results))
    return pytest.main([*OPTIONS, TESTS], plugins=[ForkingLoop(survey.pending(), survey.record)])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
