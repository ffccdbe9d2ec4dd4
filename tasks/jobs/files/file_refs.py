"""File references: a job's own files, and URIs that mean a local path."""

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote

from tasks.callers.caller import DEFAULT_TENANT
from telemetry.errors import Invalid, OutputExists


class JobDirectory:
    """One job's own directory, ``<home>/jobs/<id>``, which API and workers share."""

    def __init__(self, home: Path, job_id: str) -> None:
        # Resolved like all paths of jobs, so that a link found later is known to have been added.
        self.path = Path(os.path.realpath(home), "jobs", job_id)

    def create(self, tenant: str) -> None:
        """Create it for a job of a tenant; raises `FileExistsError` if there is one."""
        self.path.mkdir(parents=True)
        if tenant != DEFAULT_TENANT:
            self.tenant_file.write_text(tenant, "ascii")

    @property
    def tenant_file(self) -> Path:
        """Names the tenant, whose files a quota counts; absent for the default tenant."""
        return self.path / "tenant"

    def tenant(self) -> str:
        """The tenant of the job."""
        try:
            return self.tenant_file.read_text("ascii")
        except OSError:
            return DEFAULT_TENANT

    @property
    def input(self) -> Path:
        """The uploaded input; its suffixes, such as ``.csv.gz``, are appended."""
        return self.path / "input"

    @property
    def output(self) -> Path:
        """The output, if the caller named no other file."""
        return self.path / "output"

    @property
    def errors(self) -> Path:
        """All bad rows, in order, once the job has completed."""
        return self.path / "errors.ndjson"

    def plan(self, name: str) -> Path:
        """The list of chunks; each validation writes one under a name of its own."""
        return self.path / name

    @property
    def parts(self) -> Path:
        """Directory of the parts, one per chunk, until the output is written."""
        return self.path / "parts"

    def unpacked(self, fingerprint: str) -> Path:
        """The decompressed input, for formats that can only be cut uncompressed.

        The name depends on the fingerprint, since a worker that was frozen may have read an earlier
        input than the one that took over.
        """
        return self.path / f"unpacked-{sha256(fingerprint.encode()).hexdigest()[:16]}"

    def discard_unpacked(self) -> None:
        """Delete decompressed inputs of a stopped job; resuming it decompresses them again."""
        for path in self.path.glob("unpacked-*"):
            path.unlink(missing_ok=True)

    def journal(self, step: str) -> Path:
        """The journal of the crashes that a step has caused."""
        return self.path / f"{step}.journal"

    @property
    def claims(self) -> Path:
        """Fingerprints of the outputs that this job's workers were about to move into place."""
        return self.path / "claims"

    def part(self, name: str) -> Path:
        """The output rows of one chunk."""
        return self.parts / name

    def part_errors(self, name: str) -> Path:
        """The bad rows of one chunk."""
        return self.parts / f"{name}.errors"


def refuse_same(source: str, target: str) -> None:
    """Raise `Invalid` if two resolved paths are the same file, also by hard links."""
    with suppress(OSError):  # one of them does not exist, or is remote
        if source == target or os.path.samefile(source, target):
            raise Invalid("the output must not be the same file as the input: use another path")


def refuse_existing(target: str, directory: JobDirectory) -> None:
    """Raise `OutputExists` if the file exists, unless it lies in the job's own directory."""
    # A directory is left to validation, which refuses it with overwrite set, too.
    is_there = os.path.lexists(target) and not os.path.isdir(target)
    if is_there and not Path(target).is_relative_to(directory.path):
        raise OutputExists(f"{target} already exists: use another path, or set overwrite")


def local_path(uri: str) -> Path | None:
    """The local path that a URI means; None for a remote one."""
    if uri.startswith("file://"):
        return Path(unquote(uri.removeprefix("file://")))
    return None if "://" in uri else Path(uri)
