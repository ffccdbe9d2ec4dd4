"""Puts the parts of a job together: one output, one file of errors, complete or not there."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from tasks.jobs.files.allowed_paths import AllowedPaths
from tasks.jobs.files.file_refs import JobDirectory, refuse_same
from tasks.jobs.job import COMPLETED, JobRequest
from tasks.jobs.ledger import Begun, JobLedger
from telemetry.errors import OutputUnwritable
from workers.jobs.tables.output.claiming import claiming, replacing_by
from workers.jobs.tables.output.writing import assemble


def finalize(
    begun: Begun, ledger: JobLedger, directory: JobDirectory, roots: AllowedPaths, spare: int
) -> None:
    """Write output and errors, and complete the job; raises what ends it otherwise."""
    parts = ledger.parts(begun.held.job).values()
    missing = [part.name for part in parts if not directory.part(part.name).exists()]
    if missing:
        raise OutputUnwritable(f"parts of job {begun.held.job} are gone: {', '.join(missing[:5])}")
    output = placed(begun.order, directory, roots)
    made = [directory.part(part.name) for part in parts]
    may_replace = begun.order.overwrite or output.is_relative_to(directory.path)
    taking = replacing_by(directory.claims) if may_replace else claiming(directory.claims)
    written = assemble(made, output, begun.output_format, spare, taking)
    failed = [directory.part_errors(part.name) for part in parts if part.failed]
    assemble(failed, directory.errors, "ndjson", spare)
    if ledger.conclude(begun, None, written) in COMPLETED:
        clear(directory)


def placed(order: JobRequest, directory: JobDirectory, roots: AllowedPaths) -> Path:
    """Where the output is to lie, looked at once more: a link may have been put there since.

    Raises `PlaceForbidden`, and `Invalid` where that is the input by now.
    """
    output = roots.target(order.output.uri, directory, everywhere=order.restricted)
    refuse_same(order.input.uri, output)
    return Path(output)


def clear(directory: JobDirectory) -> None:
    """Remove what nobody needs once a job has completed: all but its output and errors, and what
    tells its output from other files.
    """
    shutil.rmtree(directory.parts, ignore_errors=True)
    for path in directory.path.iterdir():
        if path not in (directory.output, directory.errors, directory.claims):
            _discard(path)


def _discard(path: Path) -> None:
    """Remove a file, and give back its room at once, though a process may have it open still."""
    with suppress(OSError):
        if not path.is_symlink():
            os.truncate(path, 0)
        path.unlink()
