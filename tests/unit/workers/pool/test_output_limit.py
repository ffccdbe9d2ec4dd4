"""Printing is bounded per microbatch; logging is not."""

import subprocess
import sys
from pathlib import Path

from stack.process import ROOT
from workers.pool.output_limit import MAX_PRINTED_BYTES, LimitedOutput

REDIRECTED = """
import io, sys
from workers.pool.output_limit import limit_printing
printed = limit_printing()
sys.stdout = io.StringIO()
printed.reset()
print("seen")
sys.stderr.close()
printed.reset()
print("seen again")
"""
PROGRAM = """
import os, sys
from telemetry.logs import configure
import logging
configure("worker")
from workers.pool.output_limit import limit_printing
printed = limit_printing()
for batch in range(2):
    printed.reset()
    for _ in range(1000):
        print("x" * 99)
        print("y" * 99, file=sys.stderr)
os.write(1, b"native")
os.write(2, b"last words\\n")
sys.stdout.buffer.write(b"bytes")
logging.getLogger().warning("logged")
"""


def test_printing_is_cut_at_the_limit(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        printed = LimitedOutput(log.fileno())
        assert printed.write(b"a" * (MAX_PRINTED_BYTES - 1)) == MAX_PRINTED_BYTES - 1
        assert printed.write(b"bcd") == 3
        assert printed.write(b"e") == 1
        printed.reset()
        assert printed.write(b"f") == 1
    assert (tmp_path / "log").read_bytes() == b"a" * (MAX_PRINTED_BYTES - 1) + b"bf"


def test_printing_appears_at_once() -> None:
    """A process of the pool ends without flushing its streams."""
    program = (
        "import os; from workers.pool.output_limit import limit_printing; limit_printing(); "
        "print('printed'); os._exit(0)"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True)
    assert ran.stderr == b"printed\n"


def test_endless_output_is_bounded_a_microbatch() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout == ""
    assert ran.stderr.count("x") + ran.stderr.count("y") < 2 * MAX_PRINTED_BYTES
    assert len(ran.stderr) > 2 * MAX_PRINTED_BYTES
    assert "last words" in ran.stderr
    assert '"event": "logged"' in ran.stderr


def test_streams_that_a_model_replaced_or_closed_are_restored() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", REDIRECTED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stderr == "seen\nseen again\n"
