"""`python -m benchmarks.jobs`: batch jobs, compared with scripts that score a file."""

from pathlib import Path

from benchmarks.harness.suite import command
from benchmarks.jobs import company, formats, growth, sharing, speed

PARTS = {
    "speed": speed.run,
    "formats": formats.run,
    "company": company.run,
    "growth": growth.run,
    "sharing": sharing.run,
}

if __name__ == "__main__":
    command(PARTS, Path(__file__).parent)()
