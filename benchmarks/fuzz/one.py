"""`python -m benchmarks.fuzz.one TARGET INPUTS SEED LAST`: one target, in a process that may die.

What came of it goes to standard output, as JSON; the input that is tried lies in the file LAST,
and the number of those before it beside that, in LAST.number.
"""

import faulthandler
import logging
import resource
import sys
import tempfile
from itertools import count
from pathlib import Path

import msgspec

from benchmarks.fuzz.all import TARGETS
from benchmarks.fuzz.feeding import feed

MEMORY = 8 * 2**30
"""Bytes of addresses that this process may have: what would fill the machine fails."""
SILENCE, OFTEN = 300, 100
"""Seconds that so many inputs may take; then the process ends, with a traceback."""


def main() -> None:
    """Feed it."""
    name, inputs, seed, last = sys.argv[1:]
    logging.disable()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    target, path, counted = TARGETS[name], Path(last), count()

    def note(content: bytes) -> None:
        number = next(counted)
        path.write_bytes(content)
        path.with_suffix(".number").write_text(str(number))
        if number % OFTEN == 0:
            faulthandler.dump_traceback_later(SILENCE, exit=True)

    with tempfile.TemporaryDirectory(dir=path.parent) as directory:
        fed = feed(target, target.ready(Path(directory)), f"{seed} {name}", int(inputs), note)
    sys.stdout.buffer.write(msgspec.json.encode(fed))


if __name__ == "__main__":
    main()
