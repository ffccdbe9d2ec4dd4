"""`python -m benchmarks.million`: a million queued predictions, which needs 2 GB of memory."""

from pathlib import Path

from benchmarks.harness.suite import command
from benchmarks.million import filling

PARTS = {"filling": filling.run}

if __name__ == "__main__":
    command(PARTS, Path(__file__).parent)()
