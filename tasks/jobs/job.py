"""A batch job: the job request, the results of validation, and its progress."""

from typing import Literal, get_args

import msgspec

from tasks.callers.caller import DEFAULT_TENANT, Caller
from tasks.jobs.files.decimal_comma import DecimalMark
from tasks.jobs.files.dialect import Dialect
from tasks.jobs.files.naming import Compression, Format
from tasks.targets.webhook import Target
from telemetry.errors import (
    InputChanged,
    InvalidInput,
    JobFailed,
    ModelError,
    ModelNotFound,
    PredictqError,
    TooManyFailures,
    VersionNotFound,
)

Status = Literal[
    "validating",
    "queued",
    "running",
    "finalizing",
    "completed",
    "completed_with_errors",
    "failed",
    "cancelling",
    "cancelled",
    "expired",
]
STATUSES: tuple[Status, ...] = get_args(Status)
TERMINAL_STATUSES: frozenset[Status] = frozenset(
    {"completed", "completed_with_errors", "failed", "cancelled", "expired"}
)

COMPLETED: frozenset[Status] = frozenset({"completed", "completed_with_errors"})
"""Statuses with an output."""
STOPPED = TERMINAL_STATUSES - COMPLETED
"""Statuses without an output; such jobs may be resumed."""


class FileRef(msgspec.Struct, frozen=True, kw_only=True):
    """A file reference: an input or output."""

    uri: str
    """A path, or a URL that fsspec reads, such as ``s3://bucket/rows.parquet``."""
    format: Format | None = None
    """None goes by the name for an input, and by the input's format for an output."""


class JobRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A job request: what the caller asks for, with the model resolved and the paths checked."""

    model: str
    version: int
    alias: str | None = None
    """The alias that named the version at submission, if one did."""
    methods: tuple[str, ...] = ("predict",)
    input: FileRef
    output: FileRef
    id_column: str | None = None
    """Column copied to output and errors; None means ``custom_id``, if the input has it."""
    keep_columns: bool = False
    """Whether the output also has the input's columns."""
    error_threshold: float | None = None
    """Bad rows above which the job stops: a number, or a share below 1; None is no limit."""
    dry_run: bool = False
    """Whether to validate only."""
    overwrite: bool = False
    """Whether the output may replace an existing file."""
    restricted: bool = False
    """Whether the local key opened a path; then only holders of the key see its results."""
    dialect: Dialect = Dialect()
    """Set parts of the dialect of a CSV input."""
    webhook: Target | None = None
    """The webhook that gets the event of the job's end."""
    tenant: str = DEFAULT_TENANT
    """The tenant of the job; callers of other tenants do not see it."""
    traceparent: str = ""
    """Of the span that sent it, if that is sampled."""

    @property
    def reference(self) -> str:
        """``model:version``."""
        return f"{self.model}:{self.version}"


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about the input, found by validation."""

    format: Format
    compression: Compression | None = None
    bytes: int
    fingerprint: str
    """Changes when the file changes."""
    plan: str = "plan"
    """Name of the file of chunks in the job's directory."""
    answers: tuple[str, ...] = ()
    """Columns of the output that hold predictions."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The result of validation, for the caller."""

    rows: int
    columns: tuple[str, ...]
    """Columns of the input, in order."""
    chunks: int
    rows_per_second: float
    """Measured on the first rows, in one process."""
    estimated_seconds: float
    errors: tuple["LineError", ...] = ()
    """At most 100: from the first rows; after a dry run, all rows that cannot be read."""
    ignored: tuple[str, ...] = ()
    """Columns of the input that the model does not use, without the id column."""
    delimiter: str | None = None
    """Delimiter of a CSV input; None for other formats, as are the next three."""
    header: bool | None = None
    """Whether the first record was read as a header."""
    na: tuple[str, ...] | None = None
    """Texts that mean a missing value."""
    decimal: DecimalMark | None = None
    """The character before the decimals of a number."""


class LineError(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the errors file: a bad row."""

    line: int
    """Line number from 1; for Parquet, the row number."""
    custom_id: str | int | None = None
    code: str
    message: str


MAX_MESSAGE_CHARS = 2000
"""Longest message in characters: it may quote column names, which can be of any length."""


FINAL_ERRORS = frozenset(
    kind.code
    for kind in (
        *(InvalidInput, InputChanged, ModelError, TooManyFailures),
        *(ModelNotFound, VersionNotFound),
    )
)
"""Codes of errors after which resuming a job would not help."""


class JobError(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a job failed."""

    code: str
    message: str
    line: int | None = None
    """Line of the input, if one line caused it."""

    @classmethod
    def of(cls, error: BaseException) -> "JobError":
        """The error as callers may see it; the text of foreign exceptions stays in the log."""
        if isinstance(error, PredictqError):
            return cls(error.code, error.message[:MAX_MESSAGE_CHARS], error.extra.get("line"))
        return cls(JobFailed.code, "the worker could not do this; its log says why")


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of rows. ``total`` is the sum of the others, and 0 until validation has counted."""

    total: int = 0
    succeeded: int = 0
    failed: int = 0
    """Bad rows: lines of the errors file."""
    pending: int = 0
    running: int = 0
    """Rows of chunks that are being computed."""
    cancelled: int = 0
    """Rows that were not computed before the job ended."""


class InputInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The input of a job, as callers see it; sizes are None until validation."""

    uri: str
    format: Format | None
    bytes: int | None = None
    fingerprint: str | None = None


class OutputInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The output of a job, as callers see it."""

    uri: str
    format: Format | None
    fingerprint: str | None = None
    """Fingerprint of the file written; None until the job has completed."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A batch job as callers see it; times are Unix seconds by Redis's clock."""

    id: str
    object: Literal["batch"] = "batch"
    status: Status
    model: str
    version: int
    alias: str | None
    methods: tuple[str, ...]
    input: InputInfo
    output: OutputInfo
    created_at: float
    validating_at: float | None = None
    queued_at: float | None = None
    running_at: float | None = None
    finalizing_at: float | None = None
    cancelling_at: float | None = None
    ended_at: float | None = None
    counts: Counts
    chunks: int | None = None
    """Number of chunks; None until validation."""
    rows_per_second: float | None = None
    """Recent rate; None until a chunk is settled."""
    eta_seconds: float | None = None
    """Seconds until all rows are computed; by validation's estimate until a chunk is settled.

    None unless the job is queued or running.
    """
    error: JobError | None = None
    """Why the job failed."""
    report: Report | None = None
    """The result of validation."""
    expires_at: float
    """When a job under way expires; once ended, when the job and its files are deleted."""
    restricted: bool = False
    """Whether only callers that may name any path see its files."""
    tenant: str = DEFAULT_TENANT

    def is_seen_by(self, caller: Caller) -> bool:
        """Whether the caller may know of it: by its tenant, and by its model."""
        is_theirs = caller.is_everywhere or self.tenant == caller.tenant
        return is_theirs and caller.sees(self.model)

    @property
    def has_ended(self) -> bool:
        """Whether it is in a terminal status; only resuming changes that."""
        return self.status in TERMINAL_STATUSES
