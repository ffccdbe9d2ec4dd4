"""Registers an exhibit through the CLI, and sends its rows through each door."""

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import joblib
import msgspec

from benchmarks.zoo.doors import DOORS, Asked, Found, own
from benchmarks.zoo.exhibit import Exhibit
from benchmarks.zoo.exhibits.company import Company
from stack.process import ROOT

SAMPLES = ("parquet", "csv", "none")
"""Ways to register a model: with a sample in one of these formats, or without."""
METHODS = (
    *("predict", "predict_proba", "decision_function", "score_samples", "transform"),
    *("predict_log_proba", "predict_points"),
)
"""Methods to call, if the model has them."""


class Visit(msgspec.Struct):
    """The results of one model, registered in one way."""

    name: str
    sample: str
    """Format of the sample it was registered with; ``none`` without one."""
    registered: str
    """Whether registration succeeded, or its error."""
    doors: dict[str, Found] = {}
    lost: list[str] = []
    """Methods that work but that the version does not offer."""
    commit: str = ""

    @property
    def is_right(self) -> bool:
        """Whether no answer differed from the model's own."""
        return not any(found.different for found in self.doors.values())

    @property
    def is_unknown(self) -> bool:
        """Whether registration reported that a sample is needed."""
        return "unknown" in self.registered

    @property
    def is_equal(self) -> bool:
        """Whether every door answered every row like the model."""
        return self.is_right and len(self.doors) == len(DOORS) and not self._refused

    @property
    def _refused(self) -> bool:
        return any(found.refused for found in self.doors.values())


def visit(company: Company, name: str, exhibit: Exhibit, sample: str, directory: Path) -> Visit:
    """Register an exhibit with a sample in this format, and compare its predictions."""
    file = directory / "model.joblib"
    joblib.dump(exhibit.model, file)
    given = _write(exhibit, sample, directory)
    said = company.types(
        *("models", "add", name, file, "--trust"),
        *(("--sample", given) if given else ()),
        *("--home", company.home),
    )
    if not said.is_good:
        return Visit(name, sample, said.words, commit=_commit())
    told = " ".join(line for line in said.output.splitlines() if "unknown" in line)
    (version, *_) = [word for word in said.output.split() if word.startswith(f"{name}:")]
    signature = _signature(company, version.rstrip(","))
    methods = [m for m in METHODS if _answers(exhibit, m)]
    offered = [m for m in methods if m in signature["methods"]]
    asked = Asked(
        version.rstrip(","), exhibit, signature["named"], own(exhibit, offered), directory
    )
    doors = {door: ask(company, asked) for door, ask in DOORS.items()}
    lost = [m for m in methods if m not in offered]
    return Visit(name, sample, told or "registered", doors, lost, _commit())


@cache
def _commit() -> str:
    told = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(
        told, cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()


def _write(exhibit: Exhibit, sample: str, directory: Path) -> Path | None:
    path = directory / f"sample.{sample}"
    frame = exhibit.sample.rename(columns=str)
    if sample == "parquet":
        frame.to_parquet(path, index=False)
    elif sample == "csv":
        frame.to_csv(path, index=False)
    return None if sample == "none" else path


def _signature(company: Company, version: str) -> dict[str, Any]:
    name, _, number = version.partition(":")
    told = company.types("models", "show", name, "--json", "--home", company.home)
    shown: dict[str, Any] = msgspec.json.decode(told.output)
    found: dict[str, Any] = shown["signature"]
    if str(shown["version"]) != number:
        raise ValueError(f"{name} is at version {shown['version']}, not {number}")
    return found


def _answers(exhibit: Exhibit, method: str) -> bool:
    try:
        getattr(exhibit.model, method)(exhibit.given(exhibit.fresh))
    except Exception:  # noqa: BLE001 - a method that raises anything is not compared
        return False
    return True
