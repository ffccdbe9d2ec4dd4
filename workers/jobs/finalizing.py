"""Writes a job's output and errors file from its parts, each complete or not at all."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from tasks.jobs.files.allowed_paths import AllowedPaths
from tasks.jobs.files.file_refs import JobDirectory, refuse_same
from tasks.jobs.files.quota import Quota
from tasks.jobs.job import COMPLETED, JobRequest
from tasks.jobs.ledger import Begun, JobLedger
from tasks.settings import Settings
from telemetry.errors import OutputUnwritable
from workers.jobs.tables.output.claiming import open_claimed, open_replacing
from workers.jobs.tables.output.writing import assemble


def finalize(
    begun: Begun,
    ledger: JobLedger,
    directory: JobDirectory,
    allowed: AllowedPaths,
    settings: Settings,
) -> None:
    """Write the output and the errors file, and complete the job; raises what ends the job."""
    parts, spare = ledger.parts(begun.reserved.job).values(), settings.spare_bytes
    # Parts are files that an operator may have deleted since their chunks were counted.
    missing = [part.name for part in parts if not directory.part(part.name).exists()]
    if missing:
        raise OutputUnwritable(
            f"parts of job {begun.reserved.job} are missing: {', '.join(missing[:5])}"
        )
    output = resolved_output(begun.request, directory, allowed)
    made = [directory.part(part.name) for part in parts]
    if output.is_relative_to(directory.path):  # beside its parts, until these are deleted
        size = sum(part.stat().st_size for part in made)
        Quota(settings).check(size, tenant=begun.request.tenant)
    # In the job's own directory there can be only the output of an earlier attempt.
    may_replace = begun.request.overwrite or output.is_relative_to(directory.path)
    taking = open_replacing(directory.claims) if may_replace else open_claimed(directory.claims)
    written = assemble(made, output, begun.output_format, spare, taking)
    failed = [directory.part_errors(part.name) for part in parts if part.failed]
    assemble(failed, directory.errors, "ndjson", spare)
    # Not before the job is completed: another attempt at this step may still read the parts.
    if ledger.conclude(begun, None, written) in COMPLETED:
        clear(directory)


def resolved_output(request: JobRequest, directory: JobDirectory, allowed: AllowedPaths) -> Path:
    """The path of the output, checked again: links may have been added since the job was accepted.

    Raises `PlaceForbidden`, or `Invalid` if it is the same file as the input by now.
    """
    output = allowed.target(request.output.uri, directory, everywhere=request.restricted)
    refuse_same(request.input.uri, output)
    return Path(output)


def clear(directory: JobDirectory) -> None:
    """Delete a completed job's files, except its output, errors and fingerprints of outputs."""
    shutil.rmtree(directory.parts, ignore_errors=True)
    kept = directory.output, directory.errors, directory.claims, directory.tenant_file
    for path in directory.path.iterdir():
        if path not in kept:
            _discard(path)


def _discard(path: Path) -> None:
    """Delete a file and free its blocks at once, even if another process has it open."""
    with suppress(OSError):
        if not path.is_symlink():
            os.truncate(path, 0)
        path.unlink()
