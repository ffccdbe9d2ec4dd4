"""`python -m benchmarks.jobs`: batch jobs, beside the scripts that people write for a file."""

from pathlib import Path

from benchmarks.jobs import company, formats, growth, sharing, speed
from benchmarks.suite import command

PARTS = {
    "speed": speed.run,
    "formats": formats.run,
    "company": company.run,
    "growth": growth.run,
    "sharing": sharing.run,
}

if __name__ == "__main__":
    command(PARTS, Path(__file__).parent)()
