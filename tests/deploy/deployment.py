"""The repository's root, and a helper that runs a checker on the deployment files."""

import fcntl
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).parents[2]
UNPACKED = Path(sys.prefix) / "debian"
"""Where packages of Debian are unpacked whose tools are on no index of Python packages."""
TOOLS = os.pathsep.join(
    [
        str(Path(sys.executable).parent),
        os.environ.get("PATH", ""),
        *(str(UNPACKED / "usr" / each) for each in ("bin", "sbin")),
    ]
)
"""The tools beside this Python come first."""
PACKAGES = {
    "promtool": "prometheus",
    "prometheus": "prometheus",
    "amtool": "prometheus-alertmanager",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "nginx": "nginx",
}
"""Tool → Debian's package."""
Finished = subprocess.CompletedProcess[str]


def skip_with_warning(reason: str) -> NoReturn:
    """Skip the test and warn, so that pytest's summary says what was not checked."""
    warnings.warn(f"NOT CHECKED: {reason}", stacklevel=2)
    pytest.skip(reason)  # a tool that is on no package index, such as promtool


def tool(name: str) -> str:
    """The path of a checker, unpacked from Debian's package if there is one; else skip."""
    found = shutil.which(name, path=TOOLS)
    if not found and name in PACKAGES and shutil.which("apt-get"):
        _unpack(PACKAGES[name])
        found = shutil.which(name, path=TOOLS)
    return found or skip_with_warning(f"{name} is not installed")


def _unpack(package: str) -> None:
    """Unpack a package, without installing it: its services must not start."""
    UNPACKED.mkdir(exist_ok=True)
    with (UNPACKED / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not list(UNPACKED.glob(f"{package}_*.deb")) and not _fetch(package):
            _quietly("apt-get", "update")  # the list of packages is old, or there is none
            _fetch(package)
        for file in UNPACKED.glob(f"{package}_*.deb"):
            _quietly("dpkg", "-x", file, UNPACKED)


def _fetch(package: str) -> bool:
    return _quietly("apt-get", "-o", "APT::Sandbox::User=root", "download", package)


def _quietly(*command: str | Path) -> bool:
    done = subprocess.run(command, check=False, cwd=UNPACKED, capture_output=True, timeout=150)
    return done.returncode == 0


def run(name: str, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Finished:
    """Run a checker at the root with this environment added; skip where it is not installed."""
    found = tool(name)
    return subprocess.run(
        [found, *map(str, arguments)],
        check=False,
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=60,
    )
