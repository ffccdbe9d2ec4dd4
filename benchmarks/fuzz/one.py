"""`python -m benchmarks.fuzz.one TARGET INPUTS SEED LAST`: fuzzes one target in its own process.

Prints the result as JSON. The current input is in the file LAST, in case the process dies, and the
number of inputs before it in LAST.number.
"""

import faulthandler
import logging
import resource
import sys
import tempfile
from itertools import count
from pathlib import Path

import msgspec

from benchmarks.fuzz.feeding import feed
from benchmarks.fuzz.targets.all import TARGETS

MEMORY = 8 * 2**30
"""Limit of the address space in bytes, so that a huge allocation fails."""
HANG_SECONDS, REPORT_EVERY = 300, 100
"""Seconds that so many inputs may take before the process ends with a traceback."""


def main() -> None:
    """Run the target."""
    name, inputs, seed, last = sys.argv[1:]
    logging.disable()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    target, path, counted = TARGETS[name], Path(last), count()

    def note(content: bytes) -> None:
        number = next(counted)
        path.write_bytes(content)
        path.with_suffix(".number").write_text(str(number))
        if number % REPORT_EVERY == 0:
            faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)

    with tempfile.TemporaryDirectory(dir=path.parent) as directory:
        fed = feed(target, target.ready(Path(directory)), f"{seed} {name}", int(inputs), note)
    sys.stdout.buffer.write(msgspec.json.encode(fed))


if __name__ == "__main__":
    main()
