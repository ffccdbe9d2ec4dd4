"""A batch job: what was asked for, what is known of it, and how far it is."""

from typing import Literal, get_args

import msgspec

from tasks.jobs.files.dialect import Dialect
from tasks.jobs.files.naming import Compression, Format
from telemetry.errors import JobFailed, PredictqError

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
"""With an output."""
STOPPED = TERMINAL_STATUSES - COMPLETED
"""Without an output, and it may be resumed."""


class FileRef(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is read or written."""

    uri: str
    """A path, or what fsspec understands, such as ``s3://bucket/rows.parquet``."""
    format: Format | None = None
    """None where the name tells; an output is then written in its input's format."""


class JobRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller asks for, with the model resolved and the places allowed."""

    model: str
    version: int
    alias: str | None = None
    """The alias that named the version at submission, if one did."""
    methods: tuple[str, ...] = ("predict",)
    input: FileRef
    output: FileRef
    id_column: str | None = None
    """Carried through to output and errors; None means ``custom_id``, where there is such one."""
    keep_columns: bool = False
    """Whether the output has the input's columns, too."""
    error_threshold: float | None = None
    """Rows that may fail before the job stops: a number, or below 1 a share; None is no bound."""
    dry_run: bool = False
    """Whether nothing but validation is wanted."""
    overwrite: bool = False
    """Whether the output may take the place of a file."""
    restricted: bool = False
    """Whether a key opened a place: those without that key learn nothing of what lies there."""
    dialect: Dialect = Dialect()
    """What is said of an input that is CSV."""

    @property
    def reference(self) -> str:
        """The model:version that it is pinned to."""
        return f"{self.model}:{self.version}"


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What validation found of the input."""

    format: Format
    compression: Compression | None = None
    bytes: int
    fingerprint: str
    """Changes when the file does."""
    plan: str = "plan"
    """Name of the file in the job's directory that has its chunks."""
    answers: tuple[str, ...] = ()
    """Columns that the model's answers make in the output."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What validation has to say to the caller."""

    rows: int
    columns: tuple[str, ...]
    """Of the input."""
    chunks: int
    rows_per_second: float
    """Of the model on the first rows in one process."""
    estimated_seconds: float
    errors: tuple["LineError", ...] = ()
    """The first, 100 at most: of the first rows, after a dry run of all that cannot be read."""
    ignored: tuple[str, ...] = ()
    """Columns of the input that the model does not take, and that are no ids."""
    delimiter: str | None = None
    """What separates the fields of CSV; this and the next are None of other formats."""
    header: bool | None = None
    """Whether its first record was taken for the names of the columns."""
    na: tuple[str, ...] | None = None
    """Texts that stand for a missing value in it."""


class LineError(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the errors file."""

    line: int
    """From 1; the row's number in Parquet."""
    custom_id: str | int | None = None
    code: str
    message: str


LONGEST_MESSAGE = 2000
"""Letters of why a job failed: it may name columns, and a file may call these what it likes."""


class JobError(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a job failed."""

    code: str
    message: str
    line: int | None = None
    """Of the input, where one line is to blame."""

    @classmethod
    def of(cls, error: BaseException) -> "JobError":
        """What a caller may know; the inner text of foreign errors stays in the log."""
        if isinstance(error, PredictqError):
            return cls(error.code, error.message[:LONGEST_MESSAGE], error.extra.get("line"))
        return cls(JobFailed.code, "the worker could not do this; its log says why")


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Rows; total is the sum of the others, and 0 until they are counted."""

    total: int = 0
    succeeded: int = 0
    failed: int = 0
    """Lines of the errors file."""
    pending: int = 0
    running: int = 0
    """In chunks that are computed now."""
    cancelled: int = 0
    """Never computed, since the job ended before."""


class InputInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The input as a job shows it; what validation finds is None until then."""

    uri: str
    format: Format | None
    bytes: int | None = None
    fingerprint: str | None = None


class OutputInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The output as a job shows it."""

    uri: str
    format: Format | None
    fingerprint: str | None = None
    """Of what was written there; None until the job has completed."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A batch job as callers see it; times are Unix seconds, by Redis's clock."""

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
    """Into which the input is cut; None until it is."""
    rows_per_second: float | None = None
    """Of late; None until a chunk is settled."""
    eta_seconds: float | None = None
    """Until all rows are computed, as validation expects until a chunk is settled.

    None where that is not known or has no sense.
    """
    error: JobError | None = None
    """Why it failed."""
    report: Report | None = None
    """What validation found."""
    expires_at: float
    """When it ends, if it still runs; when it is forgotten with its files, once it has ended."""
    restricted: bool = False
    """Whether its files are for those alone who present the key that it was ordered with."""

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens to it, unless it is resumed."""
        return self.status in TERMINAL_STATUSES
