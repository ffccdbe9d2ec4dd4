"""`python -m benchmarks.drift`: prints the tables of README.md."""

import argparse

from benchmarks.drift.cost import microseconds
from benchmarks.drift.simulating import looks, normal, rare, skewed, towns

ROWS = 500, 2000
SAMPLES = 100, 1000
KINDS = {"normal": normal(), "skewed, gaps": skewed, "mostly zero": rare, "texts": towns}
MOVED = 0.25, 0.5, 1.0


def main() -> None:
    """Simulate and measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print("| 20 features of | rows of the sample | rows | drifted | by PSI > 0.2 |")
    print("|---|---|---|---|---|")
    for name, draw in KINDS.items():
        for sample in SAMPLES:
            for rows in (100, *ROWS):
                ours, theirs = looks(draw, draw, sample, rows, given.runs, given.seed)
                told = f"{ours:.1%}" if rows >= ROWS[0] else "not judged"
                print(f"| {name} | {sample} | {rows} | {told} | {theirs:.1%} |")
    print()
    print("| moved by | rows of the sample | rows | drifted |")
    print("|---|---|---|---|")
    for moved in MOVED:
        for sample in SAMPLES:
            for rows in ROWS:
                runs = max(given.runs // 10, 1)
                found, _ = looks(normal(), normal(moved), sample, rows, runs, given.seed)
                print(f"| {moved:g} standard deviations | {sample} | {rows} | {found:.0%} |")
    print()
    print("| 20 columns of | rows of a microbatch | under load, µs a row | every row, µs a row |")
    print("|---|---|---|---|")
    for kind in "number", "string":
        for rows in 1, 64:
            loaded = microseconds(kind, rows, 200_000 // rows, all_rows=False)
            every = microseconds(kind, rows, 20_000 // rows, all_rows=True)
            print(f"| {kind}s | {rows} | {loaded:.2f} | {every:.2f} |")


main()
