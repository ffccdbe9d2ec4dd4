"""The repository's root, and a helper that runs a checker on the deployment files."""

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
TOOLS = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
"""The tools beside this Python come first."""
Finished = subprocess.CompletedProcess[str]


def skip_with_warning(reason: str) -> NoReturn:
    """Skip the test and warn, so that pytest's summary says what was not checked."""
    warnings.warn(f"NOT CHECKED: {reason}", stacklevel=2)
    pytest.skip(reason)  # a tool that is on no package index, such as promtool


def run(name: str, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Finished:
    """Run a checker at the root with this environment added; skip where it is not installed."""
    found = shutil.which(name, path=TOOLS) or skip_with_warning(f"{name} is not installed")
    return subprocess.run(
        [found, *map(str, arguments)],
        check=False,
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=60,
    )
