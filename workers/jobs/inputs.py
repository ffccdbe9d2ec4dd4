"""The input of a job: opened once per process, and checked for changes with each chunk."""

import time
from functools import partial

from registry.manifest import Manifest
from tasks.jobs.files.dialect import Dialect
from tasks.jobs.files.file_refs import JobDirectory
from tasks.jobs.files.quota import Quota
from tasks.jobs.job import Facts, JobRequest
from tasks.settings import Settings
from telemetry.errors import InputChanged, InvalidInput
from workers.jobs.tables.matching import Selection
from workers.jobs.tables.remote.opening import fingerprint
from workers.jobs.tables.remote.unpacking import unpack
from workers.jobs.tables.sources import format_of, open_source
from workers.jobs.tables.spans import Source

MAX_OPEN_SOURCES = 2
"""Sources that a process keeps open; a Parquet source holds about 2 MB per column."""
IDLE_SECONDS = 3.0
"""Seconds without use after which a source's job has most likely ended."""
Key = tuple[str, str, str]
"""Job id, fingerprint of the validated input, and hash of the model's artifact."""


def find_facts(request: JobRequest) -> Facts:
    """The facts about an input.

    Raises `InputUnreadable`, or `InvalidInput` if its format is unknown or a dialect is given for
    a format other than CSV.
    """
    uri = request.input.uri
    format_, compression = format_of(uri, request.input.format)
    if format_ != "csv" and request.dialect != Dialect():
        raise InvalidInput(f"delimiter, header, decimal and na are for CSV; the input is {format_}")
    found = fingerprint(uri)
    size = int(found.partition(" ")[0])
    return Facts(format=format_, compression=compression, bytes=size, fingerprint=found)


def open_input(
    directory: JobDirectory, request: JobRequest, facts: Facts, manifest: Manifest
) -> Source:
    """Open the source of a job's rows; raises as `open_source`."""
    return open_source(
        uncompressed_uri(directory, request, facts),
        facts.format,
        Selection(manifest.signature, request.id_column, request.keep_columns, request.dialect),
    )


def uncompressed_uri(directory: JobDirectory, request: JobRequest, facts: Facts) -> str:
    """The URI of the uncompressed input."""
    return str(directory.unpacked(facts.fingerprint)) if facts.compression else request.input.uri


class Inputs:
    """Caches the sources used last: jobs take turns, and each returns with its next chunk."""

    def __init__(self, settings: Settings) -> None:
        self._home, self._spare = settings.home, settings.spare_bytes
        self._quota = Quota(settings)
        self._kept: dict[Key, tuple[Source, float]] = {}
        """Each with the time of its last use, least recently used first."""

    def source(self, job_id: str, request: JobRequest, facts: Facts, manifest: Manifest) -> Source:
        """The source of a job; raises `InputChanged` if it is not the file that was validated."""
        key = job_id, facts.fingerprint, manifest.sha256
        self._close_others(key)  # before opening another, to free memory first
        self._refuse_change(key, request)
        kept = self._kept.pop(key, None)
        directory = JobDirectory(self._home, job_id)
        source = kept[0] if kept else self._open(directory, request, facts, manifest)
        self._kept[key] = source, time.monotonic()
        if not kept:
            self._refuse_change(key, request)  # the file may have changed while it was opened
        return source

    def close(self) -> None:
        """Close all sources; they are opened again on demand."""
        for key in list(self._kept):
            self._close(key)

    def _open(
        self, directory: JobDirectory, request: JobRequest, facts: Facts, manifest: Manifest
    ) -> Source:
        """Open a source, decompressed on disk first if necessary; raises as `unpack`.

        Compressed files cannot be read from the middle. The decompressed file serves all chunks and
        attempts; resuming a stopped job creates it again.
        """
        unpacked = directory.unpacked(facts.fingerprint)
        if facts.compression and not unpacked.exists():
            uri = request.input.uri
            check = partial(self._quota.check, tenant=request.tenant)
            unpack(uri, facts.fingerprint, facts.compression, unpacked, self._spare, check)
        return open_input(directory, request, facts, manifest)

    def _refuse_change(self, key: Key, request: JobRequest) -> None:
        if fingerprint(request.input.uri) != key[1]:
            self._close(key)
            raise InputChanged(f"{request.input.uri} has changed since it was validated")

    def _close_others(self, wanted: Key) -> None:
        """Close sources beyond `MAX_OPEN_SOURCES`, and those of jobs that have probably ended."""
        now, others = time.monotonic(), [key for key in self._kept if key != wanted]
        many = len(others) + 1 - MAX_OPEN_SOURCES
        # Least recently used first, as the sources are kept in that order.
        for index, key in enumerate(others):
            if index < many or now - self._kept[key][1] > IDLE_SECONDS:
                self._close(key)

    def _close(self, key: Key) -> None:
        if kept := self._kept.pop(key, None):
            kept[0].close()
