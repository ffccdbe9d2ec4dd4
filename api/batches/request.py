"""A job request: read from JSON or from a form, checked, and pinned to one version."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from api.callers.seeing import check_seen
from api.http.forms import invalid_field
from api.predictions.submission import Sticky
from registry.methods import check_job_method
from registry.store import Registry
from tasks.callers.caller import Caller
from tasks.jobs.files.decimal_comma import DecimalMark
from tasks.jobs.files.dialect import DELIMITER, Dialect
from tasks.jobs.files.file_refs import JobDirectory, local_path
from tasks.jobs.files.naming import Format, named_format, no_data, wrong_input, wrong_output
from tasks.jobs.job import FileRef, JobRequest
from tasks.settings import Settings
from tasks.targets.webhook import Webhook, target

MAX_URI_CHARS = 4096
"""Characters."""
Uri = Annotated[str, Meta(min_length=1, max_length=MAX_URI_CHARS, pattern=r"^[^\x00]*$")]
Methods = Annotated[list[str], Meta(min_length=1, max_length=10)]
Delimiter = Annotated[str, Meta(pattern=DELIMITER.pattern, max_length=1)]
MissingTexts = Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(max_length=50)]
OBJECTS = frozenset({"webhook"})
"""Fields of a form that hold JSON."""
LISTS = frozenset({"methods", "na"})
"""Fields of a form that may be given several times."""


class UploadRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The form fields of an upload, beside its `file`."""

    model: str
    """``name``, ``name@alias`` or ``name:version``."""
    method: str | None = None
    """A method of the model; ``predict`` if neither this nor ``methods`` is given."""
    methods: Methods | None = None
    """Several methods; each adds its columns to the output."""
    output_uri: Uri | None = None
    """Where the server writes the output. By default it is kept with the job, for download."""
    overwrite: bool = False
    """Whether the output may replace an existing file; by default that is an error."""
    input_format: Format | None = None
    """Needed only if the file's name does not show it."""
    output_format: Format | None = None
    """Format of the output; by default the one that its name shows, else the input's."""
    id_column: Annotated[str, Meta(max_length=1000)] | None = None
    """Column copied to output and errors; ``custom_id`` by default, if the input has it."""
    include_input: bool = False
    """Whether to copy the input's columns to the output."""
    error_threshold: Annotated[float, Meta(ge=0)] | None = None
    """How many rows may fail before the job stops: a number, or if below 1 a share of all rows."""
    delimiter: Delimiter | None = None
    """Field separator of CSV; detected by default."""
    header: bool | None = None
    """Whether the first record of CSV holds the column names; detected by default."""
    na: MissingTexts | None = None
    """CSV texts that mean a missing value, in addition to those of pandas."""
    decimal: DecimalMark | None = None
    """The character before the decimals of a number in CSV; detected by default."""
    sticky: Sticky | UnsetType = UNSET
    """Key for an alias that is split: one version answers all requests with the same key. By
    default the header `X-Caller-Id`."""
    webhook: Webhook | UnsetType = UNSET
    """Where to send an event once the job has ended; in a form, as JSON."""


class BatchJobRequest(UploadRequest, forbid_unknown_fields=True, kw_only=True):
    """The JSON body of `POST /predict/batch`: the server reads the input from a path or URI."""

    input_uri: Uri
    """An absolute path or an fsspec URI, within the allowed paths."""


def build_job_request(
    asked: UploadRequest,
    input_uri: str,
    directory: JobDirectory,
    registry: Registry,
    caller: Caller,
    key: str | None,
    settings: Settings,
) -> JobRequest:
    """Resolve the model and build the job request; raises `NotFound` or `Invalid`.

    ``key``: the sticky key of the request, if its fields have none.
    """
    check_seen(caller, asked.model)
    resolved = registry.resolve(asked.model).chosen(asked.sticky or key)
    methods = _methods(asked)
    for method in methods:
        check_job_method(resolved.manifest, method)
    hook = target(asked.webhook, settings) if asked.webhook else None
    traceparent = caller.sending.traceparent if caller.sending else ""
    return JobRequest(
        model=resolved.manifest.name,
        version=resolved.manifest.version,
        alias=resolved.alias,
        methods=methods,
        input=_input(asked, input_uri),
        output=_output(asked, directory),
        id_column=asked.id_column,
        keep_columns=asked.include_input,
        error_threshold=asked.error_threshold,
        overwrite=asked.overwrite,
        tenant=caller.tenant,
        dialect=Dialect(
            delimiter=asked.delimiter,
            header=asked.header,
            na=tuple(asked.na or ()),
            decimal=asked.decimal,
        ),
        webhook=replace(hook, traceparent=traceparent) if hook else None,
        traceparent=traceparent,
    )


def _methods(asked: UploadRequest) -> tuple[str, ...]:
    if asked.methods is None:
        return (asked.method or "predict",)
    if asked.method is not None:
        raise invalid_field("methods", "give either method or methods")
    if len(set(asked.methods)) < len(asked.methods):
        raise invalid_field("methods", "a method is given more than once")
    return tuple(asked.methods)


def _input(asked: UploadRequest, uri: str) -> FileRef:
    if reason := wrong_input(uri, asked.input_format):
        raise invalid_field("input_uri" if isinstance(asked, BatchJobRequest) else "file", reason)
    return FileRef(uri=_checked_absolute(uri, "input_uri"), format=asked.input_format)


def _output(asked: UploadRequest, directory: JobDirectory) -> FileRef:
    """The output's path on the server's machine, and its format if it is given or named."""
    uri = asked.output_uri
    if uri is None:
        return FileRef(uri=str(directory.output), format=asked.output_format)
    path = local_path(uri)
    if path is None:
        raise invalid_field("output_uri", "output_uri must be a path on the server's machine")
    named, compression = named_format(uri)
    format_ = asked.output_format or named
    if reason := wrong_output(uri, asked.output_format):
        raise invalid_field("output_uri", reason)
    if compression and format_ not in ("csv", "ndjson"):
        raise invalid_field(
            "output_uri",
            "only CSV and NDJSON can be compressed: name the output, for example, out.csv.gz",
        )
    if reason := no_data(path.name):
        raise invalid_field("output_uri", reason)
    return FileRef(uri=_checked_absolute(uri, "output_uri"), format=format_)


def _checked_absolute(uri: str, field: str) -> str:
    """The URI as given. Refuses relative paths: processes have different working directories."""
    path = local_path(uri)
    if path is not None and not path.is_absolute():
        raise invalid_field(
            field, f"{field} must be an absolute path, or a URI such as s3://bucket/rows"
        )
    return uri
