"""The `Bench` of a run: measurement length, models, and fresh systems to measure."""

import itertools
import shutil
import subprocess
import sys
from functools import cached_property
from pathlib import Path

import msgspec

from benchmarks.harness import candidates, models
from benchmarks.harness.candidates import Candidate
from benchmarks.harness.models import Model, Questions
from registry.storage.signing import KEY
from registry.store import Registry
from stack.process import ROOT

WHOLE = 2.0
"""Seconds of one measurement in a full run; shorter ones only test the code."""


class Bench:
    """One run, with all of its files in one directory."""

    def __init__(self, seconds: float, directory: Path) -> None:
        self.seconds, self.directory = seconds, directory
        self._number = itertools.count()

    @property
    def is_whole(self) -> bool:
        """Whether it is a full run, whose figures are meaningful."""
        return self.seconds >= 1

    @property
    def rounds(self) -> int:
        """How often to measure each system, in turn."""
        return 3 if self.is_whole else 1

    def scaled(self, whole: float) -> int:
        """A size that is ``whole`` in a full run, and smaller in a shorter one."""
        return round(whole * min(self.seconds / WHOLE, 1))

    @cached_property
    def forest(self) -> Model:
        """The model on which systems are compared."""
        return models.forest(self.directory)

    @cached_property
    def questions(self) -> Questions:
        """Requests for the forest, one row each."""
        return self.forest.questions()

    def naive(self, held: Model | None = None) -> Candidate:
        """The naive design with this model, by default the forest."""
        return candidates.naive(self._home(), (held or self.forest).path)

    def handwritten(self) -> Candidate:
        """The handwritten design with the forest."""
        return candidates.handwritten(self._home(), self.forest.path)

    def predictq(self, *held: Model, flower: bool = False, workers: int | None = None) -> Candidate:
        """A predictq stack with these models, by default the forest."""
        home = self._home()
        for model in held:
            register(model, home)
        if not held:
            shutil.copytree(self._with_forest / "models", home / "models")
            shutil.copy(self._with_forest / KEY, home / KEY)
        return candidates.predictq(home, flower=flower, workers=workers)

    @cached_property
    def _with_forest(self) -> Path:
        home = self._home()
        register(self.forest, home)
        return home

    def _home(self) -> Path:
        home = self.directory / f"home-{next(self._number)}"
        home.mkdir()
        return home


def register(model: Model, home: Path) -> None:
    """Register a model with `predictq models add`."""
    command = ["models", "add", model.name, str(model.path), "--trust", "--home", str(home)]
    subprocess.run(
        [sys.executable, "-m", "cli.main", *command],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        timeout=120,
        check=True,
    )


def multiply(model: Model, home: Path, count: int) -> list[Model]:
    """Register the same file as more versions; each takes memory of its own."""
    registry, artifact = Registry(home), model.path.read_bytes()
    manifest = registry.resolve(model.name).manifest
    versions = [registry.add(model.name, manifest, artifact).reference for _ in range(count)]
    return [msgspec.structs.replace(model, name=version) for version in versions]
