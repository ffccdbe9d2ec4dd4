"""Where the files of a job lie: its own, and what a URI means on this machine."""

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote

from telemetry.errors import Invalid, OutputExists


class JobDirectory:
    """One job's own directory, ``<home>/jobs/<id>``, which API and workers share."""

    def __init__(self, home: Path, job_id: str) -> None:
        # Without links, as all paths of jobs: one that appears later was put there.
        self.path = Path(os.path.realpath(home), "jobs", job_id)

    @property
    def input(self) -> Path:
        """An uploaded input; followed by its suffixes, such as ``.csv.gz``."""
        return self.path / "input"

    @property
    def output(self) -> Path:
        """The output, where the caller named no place for it."""
        return self.path / "output"

    @property
    def errors(self) -> Path:
        """Every row that failed, in order, once the job has completed."""
        return self.path / "errors.ndjson"

    def plan(self, name: str) -> Path:
        """The chunks; each validation writes them under a name of its own."""
        return self.path / name

    @property
    def parts(self) -> Path:
        """What came of each chunk, until it is put together."""
        return self.path / "parts"

    def unpacked(self, fingerprint: str) -> Path:
        """The input, where it came compressed and can be cut only without that.

        One who was frozen may have found another input there than his successor reads.
        """
        return self.path / f"unpacked-{sha256(fingerprint.encode()).hexdigest()[:16]}"

    def discard_unpacked(self) -> None:
        """Give back its room once the job has stopped; should it go on, it is unpacked again."""
        for path in self.path.glob("unpacked-*"):
            path.unlink(missing_ok=True)

    def journal(self, step: str) -> Path:
        """What is known of the deaths that a chunk has caused."""
        return self.path / f"{step}.journal"

    @property
    def claims(self) -> Path:
        """Stamps of the outputs that this job's processes were about to put in their place."""
        return self.path / "claims"

    def part(self, name: str) -> Path:
        """A part of the output."""
        return self.parts / name

    def part_errors(self, name: str) -> Path:
        """The rows of a part that failed."""
        return self.parts / f"{name}.errors"


def refuse_same(source: str, target: str) -> None:
    """Raise `Invalid` where two places that were checked are one file, by whatever names."""
    with suppress(OSError):  # one of them is not there, or not on this machine
        if source == target or os.path.samefile(source, target):
            raise Invalid("the output would take the place of the input: name another")


def refuse_existing(target: str, own: JobDirectory) -> None:
    """Raise `OutputExists` where a file lies at a place, unless that is the job's own folder."""
    is_there = os.path.lexists(target) and not os.path.isdir(target)
    if is_there and not Path(target).is_relative_to(own.path):
        raise OutputExists(f"{target} is there already: name another place, or say overwrite")


def local_path(uri: str) -> Path | None:
    """The path that a URI means, where it means one on this machine."""
    if uri.startswith("file://"):
        return Path(unquote(uri.removeprefix("file://")))
    return None if "://" in uri else Path(uri)
