"""Models that tests register: some that behave, and some that raise, kill, or wait."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import joblib
import msgspec
import numpy as np
import psutil

from registry.manifest import Column, Description, Manifest, Signature
from registry.storage.signing import KEY
from registry.store import Registry
from stack.process import ROOT

GUILTY = 666.0
"""What `Touchy` cannot take."""
HEAVY_BYTES = 64 * 2**20
"""Bytes that a `Heavy` takes."""
DEADLY = 13.0
"""What ends the process that shows it to `Lethal`."""


class Doubling:
    """Twice the first of two columns, to the last bit whatever the height of the batch."""

    n_features_in_ = 2

    def predict(self, x: Any) -> Any:
        return 2 * np.asarray(x)[:, 0]


class Constant:
    """The label 0 for any row of four columns; unlike scikit-learn's models, loaded at once."""

    n_features_in_ = 4

    def predict(self, x: Any) -> Any:
        return np.zeros(len(x), dtype=int)


class Touchy(Doubling):
    """Raises for one value; notes in a diary, if it has one, each value that it computed."""

    def __init__(self, diary: str | None = None) -> None:
        self.diary = diary

    def predict(self, x: Any) -> Any:
        values = np.asarray(x)[:, 0]
        if (values == GUILTY).any():
            raise ValueError(f"{np.asarray(x)[values == GUILTY][0].tolist()} is too much")
        if self.diary:
            with Path(self.diary).open("a") as diary:
                diary.write("".join(f"{value}\n" for value in values))
        return super().predict(x)


class Greedy(Doubling):
    """Takes four gigabytes for one value."""

    def predict(self, x: Any) -> Any:
        if (np.asarray(x)[:, 0] == GUILTY).any():
            np.ones(2**29)
        return super().predict(x)


class Sleepy(Touchy):
    """Sleeps as many seconds as the second column says, all rows of a call at once."""

    def predict(self, x: Any) -> Any:
        time.sleep(np.asarray(x)[:, 1].max())
        return super().predict(x)


class Plodding(Touchy):
    """Takes its time for each row."""

    def predict(self, x: Any) -> Any:
        time.sleep(len(x) * 50e-6)
        return super().predict(x)


class DeadlyPlodding(Plodding):
    """A `Plodding` that kills its own process for one value."""

    def predict(self, x: Any) -> Any:
        if (np.asarray(x)[:, 0] == DEADLY).any():
            os.kill(os.getpid(), signal.SIGKILL)
        return super().predict(x)


class Hungry(Touchy):
    """Raises MemoryError as often as its file ``pantry`` has bytes."""

    def __init__(self, diary: str, pantry: str) -> None:
        super().__init__(diary)
        self.pantry = pantry

    def predict(self, x: Any) -> Any:
        pantry = Path(self.pantry)
        if size := pantry.stat().st_size:
            os.truncate(pantry, size - 1)
            raise MemoryError
        return super().predict(x)


class Lethal(Doubling):
    """Kills its own process for one value."""

    def predict(self, x: Any) -> Any:
        if (np.asarray(x)[:, 0] == DEADLY).any():
            os.kill(os.getpid(), signal.SIGKILL)
        return super().predict(x)


class Leaky(Doubling):
    """Keeps 50 MiB of each call for one value."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []

    def predict(self, x: Any) -> Any:
        if (np.asarray(x)[:, 0] == GUILTY).any():
            self.kept.append(b"x" * 50 * 2**20)
        return super().predict(x)


class Forking(Doubling):
    """For one value, forks a process that stays, notes its id in a file, and kills its own."""

    def __init__(self, file: str) -> None:
        self.file = file

    def predict(self, x: Any) -> Any:
        if (np.asarray(x)[:, 0] == DEADLY).any():
            if (pid := os.fork()) == 0:
                signal.pause()
            with Path(self.file).open("a") as file:
                file.write(f"{pid}\n")
            os.kill(os.getpid(), signal.SIGKILL)
        return super().predict(x)


class KillsItsWorker(Doubling):
    """Kills the worker, the fork server and then its own process for one value."""

    def predict(self, x: Any) -> Any:
        if (np.asarray(x)[:, 0] == DEADLY).any():
            fork_server = psutil.Process().parent()
            for process in (fork_server.parent(), fork_server, psutil.Process()):
                process.kill()
        return super().predict(x)


class Heavy(Doubling):
    """Takes memory, and refers to itself, so that only a collection of garbage frees it."""

    def __init__(self) -> None:
        self.content = np.ones(HEAVY_BYTES, dtype=np.int8)
        self.itself = self


class Silent(Doubling):
    """Returns None instead of predictions for one value."""

    def predict(self, x: Any) -> Any:
        return None if (np.asarray(x)[:, 0] == GUILTY).any() else super().predict(x)


class Wordy(Doubling):
    """Answers each row with 1,500 letters."""

    def predict(self, x: Any) -> Any:
        return np.full(len(x), "x" * 1500)


class Strange(Doubling):
    """Answers one value with an object that JSON cannot represent."""

    def predict(self, x: Any) -> Any:
        doubled = super().predict(x).astype(object)
        doubled[np.asarray(x)[:, 0] == GUILTY] = {1j}
        return doubled


def register(
    home: Path,
    name: str,
    model: Any,
    examples: Any,
    *,
    alias: str = "",
    version: int | None = None,
    **changes: Any,
) -> Manifest:
    """Register a version of a model, trusted because its class may be defined in tests."""
    from workers.models.registration import (
        describe_model,  # not for a process that only loads what is here
    )

    path = home / f"{name}.joblib"
    joblib.dump(model, path)
    description, content = describe_model(path, trust=True, examples=examples)
    description = msgspec.structs.replace(description, **changes)
    registry = Registry(home)
    return registry.add(name, description, content, version=version, alias=alias or None)


def described(artifact: bytes, **changes: Any) -> Description:
    """Describe an artifact that is never opened: one number in, one of three labels out."""
    description = Description(
        sha256=hashlib.sha256(artifact).hexdigest(),
        format="skops",
        trusted=False,
        size=len(artifact),
        estimator="E",
        parameters={},
        libraries={},
        signature=Signature((Column("x0"),), False, False, ("predict",), classes=("a", 1, True)),
        example=[1.0],
        metadata={},
    )
    return msgspec.structs.replace(description, **changes)


def train_demos(home: Path) -> None:
    """Register the demo models, as the first `up` does."""
    subprocess.run(
        [sys.executable, "-m", "cli.models.demo"],
        cwd=ROOT,
        env={**os.environ, "PREDICTQ_HOME": str(home)},
        timeout=120,
        check=True,
    )


def with_models_of(source: Path, home: Path) -> Path:
    """A new home with the models of another."""
    shutil.copytree(source / "models", home / "models")
    shutil.copy(source / KEY, home / KEY)
    return home
