"""API processes survive a full disk, and keep counting."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stack.process import ROOT
from telemetry.shared import DIRECTORY
from tests.support.small_disk import on_small_disk

COUNTING = """
from pathlib import Path
import sys
from telemetry.shared import reserve_space
from tests.support.small_disk import fill

disk, fills_first = Path(sys.argv[1]), sys.argv[2] == "True"
if fills_first:
    fill(disk / "filler")
reserve_space()
from prometheus_client import generate_latest
from telemetry.metrics import HTTP_REQUESTS, registry
HTTP_REQUESTS.labels("/", "GET", "200").inc()
if not fills_first:
    fill(disk / "filler")
for number in range(300):
    HTTP_REQUESTS.labels(f"/{number}", "GET", "200").inc()
assert generate_latest(registry()).count(b"predictq_http_requests_total{") == 301
assert bool([*disk.glob("*.db")]) != fills_first
"""


@pytest.mark.parametrize("fills_first", [False, True])
def test_full_disk_ends_no_process_that_counts(tmp_path: Path, *, fills_first: bool) -> None:
    told = subprocess.run(
        [
            *on_small_disk(tmp_path, 2**20),
            *(sys.executable, "-c", COUNTING, str(tmp_path), str(fills_first)),
        ],
        cwd=ROOT,
        env={**os.environ, DIRECTORY: str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 0, told
