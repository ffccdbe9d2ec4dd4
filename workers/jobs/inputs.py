"""The input of a job: found once, opened once in a process, and looked at with each chunk."""

import time

from registry.manifest import Manifest
from tasks.jobs.files.dialect import Dialect
from tasks.jobs.files.file_refs import JobDirectory
from tasks.jobs.files.quota import Quota
from tasks.jobs.job import Facts, JobRequest
from tasks.settings import Settings
from telemetry.errors import InputChanged, InvalidInput
from workers.jobs.tables.features.matching import Selection
from workers.jobs.tables.formats import format_of
from workers.jobs.tables.remote.opening import fingerprint
from workers.jobs.tables.remote.unpacking import unpack
from workers.jobs.tables.sources import open_source
from workers.jobs.tables.spans import Source

MOST_KEPT = 2
"""Sources that a process keeps open; one of Parquet holds some two megabytes a column."""
IDLE_SECONDS = 3.0
"""Seconds after which a job has no turn any more, most likely."""
Key = tuple[str, str, str]
"""A job, the fingerprint of its input when it was validated, and the digest of its model."""


def find(order: JobRequest) -> Facts:
    """What there is; raises `InputUnreadable`, or `InvalidInput` where its format is not told.

    That is raised too where something is said of CSV, and it is none.
    """
    uri = order.input.uri
    format_, compression = format_of(uri, order.input.format)
    if format_ != "csv" and order.dialect != Dialect():
        raise InvalidInput(f"delimiter, header and na are for CSV; the input is {format_}")
    found = fingerprint(uri)
    size = int(found.partition(" ")[0])
    return Facts(format=format_, compression=compression, bytes=size, fingerprint=found)


def open_input(
    directory: JobDirectory, order: JobRequest, facts: Facts, manifest: Manifest
) -> Source:
    """The source that is cut and read; raises as `open_source`."""
    return open_source(
        plain(directory, order, facts),
        facts.format,
        Selection(manifest.signature, order.id_column, order.keep_columns, order.dialect),
    )


def plain(directory: JobDirectory, order: JobRequest, facts: Facts) -> str:
    """Where the input lies uncompressed."""
    return str(directory.unpacked(facts.fingerprint)) if facts.compression else order.input.uri


class Inputs:
    """Keeps the sources that were used last: jobs take turns, each comes back with a next chunk."""

    def __init__(self, settings: Settings) -> None:
        self._home, self._spare = settings.home, settings.spare_bytes
        self._quota = Quota(settings)
        self._kept: dict[Key, tuple[Source, float]] = {}
        """Each with the time at which it was asked for, the one that waits longest first."""

    def source(self, job_id: str, order: JobRequest, facts: Facts, manifest: Manifest) -> Source:
        """The source of a job; raises `InputChanged` where it is not the one that was validated."""
        key = job_id, facts.fingerprint, manifest.sha256
        self._close_others(key)  # first, as what they held is taken up then
        self._refuse_change(key, order)
        kept = self._kept.pop(key, None)
        directory = JobDirectory(self._home, job_id)
        source = kept[0] if kept else self._open(directory, order, facts, manifest)
        self._kept[key] = source, time.monotonic()
        if not kept:
            self._refuse_change(key, order)  # it may have been another's by then
        return source

    def close(self) -> None:
        """Close all; who needs one again opens it anew."""
        for key in list(self._kept):
            self._close(key)

    def _open(
        self, directory: JobDirectory, order: JobRequest, facts: Facts, manifest: Manifest
    ) -> Source:
        """Unpack what is compressed, since that cannot be read from its middle; raises as `unpack`.

        It is done once, however many processes die of the first rows, and once more where the job
        stopped and goes on.
        """
        unpacked = directory.unpacked(facts.fingerprint)
        if facts.compression and not unpacked.exists():
            uri, check = order.input.uri, self._quota.check
            unpack(uri, facts.fingerprint, facts.compression, unpacked, self._spare, check)
        return open_input(directory, order, facts, manifest)

    def _refuse_change(self, key: Key, order: JobRequest) -> None:
        if fingerprint(order.input.uri) != key[1]:
            self._close(key)
            raise InputChanged(f"{order.input.uri} has changed since it was validated")

    def _close_others(self, wanted: Key) -> None:
        """Those that are too many, and those of jobs that have ended, most likely."""
        now, others = time.monotonic(), [key for key in self._kept if key != wanted]
        many = len(others) + 1 - MOST_KEPT
        for place, key in enumerate(others):
            if place < many or now - self._kept[key][1] > IDLE_SECONDS:
                self._close(key)

    def _close(self, key: Key) -> None:
        if kept := self._kept.pop(key, None):
            kept[0].close()
