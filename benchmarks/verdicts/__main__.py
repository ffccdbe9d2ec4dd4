"""`python -m benchmarks.verdicts`: prints the tables of README.md."""

import argparse

from benchmarks.verdicts.simulating import (
    ABOVE,
    BELOW,
    STABLE_ERRORS,
    Outcome,
    limited,
    split,
    sticky,
)
from tasks.comparison.verdict import WRONG_PROMOTIONS, WRONG_ROLL_BACKS

CANDIDATES = (STABLE_ERRORS, 2 * STABLE_ERRORS, 0.02, 0.05, 0.2, 1.0)
MEASURES = 2
"""Errors and slow calls, which share the chance of a wrong roll-back."""


def main() -> None:
    """Simulate, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print("| the candidate fails | rolled back | after so many of its requests |")
    print("|---|---|---|")
    for errors in CANDIDATES:
        found = split(errors, given.runs, MEASURES / WRONG_ROLL_BACKS, given.seed)
        print(_line(errors, found))
    print()
    print("| callers that always fail, no fault | rolled back |")
    print("|---|---|")
    decisive = MEASURES / WRONG_ROLL_BACKS
    for told, once in (("each counts once", True), ("each request counts", False)):
        wrong = sticky(given.runs, decisive, given.seed, once=once).decided
        print(f"| {told} | {wrong:.1%} |")
    print()
    print("| rows are bad | limit of 1 % | after so many rows |")
    print("|---|---|---|")
    kept = limited(0.0, given.runs // 10, BELOW, 1 / WRONG_PROMOTIONS, given.seed)
    print(_line(0.0, kept, "promoted "))
    for bad in (0.05, 0.2):
        found = limited(bad, given.runs // 10, ABOVE, 1 / WRONG_ROLL_BACKS, given.seed)
        print(_line(bad, found, "rolled back "))


def _line(rate: float, found: Outcome, what: str = "") -> str:
    return f"| {rate:.1%} | {what}{found.decided:.1%} | {found.after:.0f} |"


main()
