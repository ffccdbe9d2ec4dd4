"""Runs uv, which resolves and installs packages: bounded in time and in what it prints."""

import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

from telemetry.errors import ModelUnloadable

MAX_SECONDS = 900.0
"""How long one run may take."""
MAX_SHOWN = 2_000
"""Characters of its messages that are shown: the first ones, where uv says why."""
MAX_READ = 100_000


def run_uv(arguments: list[str], doing: str) -> None:
    """Run uv; raises `ModelUnloadable`, which says what it was ``doing`` and why it failed."""
    with tempfile.TemporaryFile() as printed:
        process = subprocess.Popen(
            [_uv(), *arguments, *_certificates(), "--quiet"],
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=printed,
            cwd="/",  # a project of the current directory would configure it
            start_new_session=True,
        )
        try:
            status = process.wait(MAX_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise ModelUnloadable(f"{doing} took more than {MAX_SECONDS:.0f} s") from error
        finally:  # builds that uv started end with it
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        printed.seek(0)
        told = printed.read(MAX_READ).decode("utf-8", "replace").strip()
    if status:
        raise ModelUnloadable(f"{doing} failed: {told[:MAX_SHOWN] or f'uv ended with {status}'}")


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise ModelUnloadable("uv is not installed, which makes environments: pip install uv")
    return found


def _certificates() -> list[str]:
    """The option by which uv trusts the authorities of this machine, if it has a store of them."""
    store = ssl.get_default_verify_paths()
    stocked = store.cafile or (store.capath and os.listdir(store.capath))
    return ["--system-certs"] if stocked else []
