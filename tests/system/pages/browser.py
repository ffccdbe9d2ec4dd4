"""The Chromium of this machine, for tests of pages."""

import os
import shutil
import subprocess
from functools import cache

import pytest

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@cache
def chromium_of_this_machine() -> str:
    """The path of Chromium, installed if allowed; skips the test otherwise."""
    found = _find()
    if not found and os.geteuid() == 0 and shutil.which("apt-get"):
        command = ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]
        subprocess.run(command, check=False, capture_output=True, timeout=150)
        found = _find()
    return found or pytest.skip("NOT TESTED: no Chromium on PATH; `apt install chromium`")


def _find() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")
