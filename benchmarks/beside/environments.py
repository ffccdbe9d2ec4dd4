"""Throw-away environments: each server with its own packages, and our scikit-learn."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

INSTALL_SECONDS = 600


class NotInstallable(Exception):
    """The packages cannot be had here."""


def make_environment(directory: Path, *packages: str) -> Path:
    """Install packages into a new environment; returns its Python. Raises `NotInstallable`."""
    same = f"scikit-learn=={version('scikit-learn')}"
    python = directory / "bin/python"
    _uv("venv", "--quiet", "--python", sys.executable, str(directory))
    _uv("pip", "install", "--quiet", "--python", str(python), same, *packages)
    return python


def _uv(*arguments: str) -> None:
    command = [str(Path(sys.executable).with_name("uv")), *arguments]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=INSTALL_SECONDS, text=True)
    except subprocess.CalledProcessError as error:
        raise NotInstallable(error.stderr.strip()[-500:]) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstallable(str(error)) from error
