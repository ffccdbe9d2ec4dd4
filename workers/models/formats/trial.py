"""Loads a file in a process of its own at registration: broken files abort some libraries."""

import signal
import subprocess
import sys
from contextlib import suppress

import numpy as np

from telemetry.errors import ModelUnloadable
from workers.models.formats.all_formats import format_named
from workers.models.formats.model_format import LoadOptions, ModelFormat
from workers.short_imports import shorten_imports

TRIAL_TIMEOUT = 300.0
"""How long loading may take."""


def check_loadable(model_format: ModelFormat, content: bytes, what: str) -> None:
    """Raise `ModelUnloadable` if loading the content, or a call with one row, ends its process."""
    if not model_format.is_native:
        return
    command = [sys.executable, "-m", __name__, model_format.name]
    try:
        done = subprocess.run(
            command, input=content, capture_output=True, timeout=TRIAL_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired as error:
        message = f"{what} cannot be loaded: it took more than {TRIAL_TIMEOUT:.0f} s"
        raise ModelUnloadable(message) from error
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise ModelUnloadable(f"{what} cannot be loaded: it ends its process with {name}")


def main() -> None:
    """Load standard input in the format that the first argument names; errors do not matter."""
    shorten_imports()
    with suppress(Exception):
        content = sys.stdin.buffer.read()
        model = format_named(sys.argv[1], "the file").load(content, LoadOptions())
        model.predict(np.zeros((1, model.n_features_in_)))


if __name__ == "__main__":
    main()
