"""The input of a job: opened once in a process, and looked at with each chunk."""

from pathlib import Path

from registry.manifest import Manifest
from tasks.jobs.job import Facts, Order
from tasks.jobs.places import JobDirectory
from telemetry.errors import InputChanged
from workers.files.opening import fingerprint
from workers.files.sources import open_source
from workers.files.spans import Source


class Inputs:
    """The source that was used last: chunks of one job often follow each other."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._key: object = None
        self._source: Source | None = None

    def source(self, job_id: str, order: Order, facts: Facts, manifest: Manifest) -> Source:
        """The source of a job; raises `InputChanged` where it is not the one that was accepted."""
        if fingerprint(order.input.uri) != facts.fingerprint:
            raise InputChanged(f"{order.input.uri} has changed since it was validated")
        key = (job_id, facts, manifest.sha256)
        if self._source is None or key != self._key:
            self.close()
            self._source, self._key = self._open(job_id, order, facts, manifest), key
        return self._source

    def close(self) -> None:
        """Close it."""
        if self._source is not None:
            self._source.close()
        self._source = self._key = None

    def _open(self, job_id: str, order: Order, facts: Facts, manifest: Manifest) -> Source:
        directory = JobDirectory(self._home, job_id)
        return open_source(
            str(directory.unpacked) if facts.compression else order.input.uri,
            facts.format,
            manifest.signature,
            id_column=order.id_column,
            pass_through=order.keep_columns,
        )
