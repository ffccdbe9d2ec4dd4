"""The form by which a model is uploaded: its files are streamed to disk, and bounded."""

import os
import re
from contextlib import ExitStack
from hashlib import blake2b
from pathlib import Path
from typing import IO, Annotated, Any, cast
from uuid import uuid4

import msgspec
from flask import Request
from msgspec import Meta
from werkzeug.datastructures import FileStorage

from api.http.forms import invalid_field, parse_form, read_form
from api.models.changing import WITH_KEY, ShortText
from api.predictions.submission import QueueLimit, RunLimit
from registry.history import Cause
from registry.names import MAX_VERSION, checked_name
from registry.registrations.registrations import MODEL
from registry.registrations.request import RegistrationRequest
from registry.storage.files import sync_directory
from tasks.jobs.files.disk_reserve import Watched, open_with_reserve
from tasks.settings import Settings
from telemetry.errors import TooLarge

REQUIREMENTS = "requirements.txt"
REPEATED_FIELDS = frozenset({"requirements"})
_FILES = ("file", "sample", "requirements")
_SUFFIXES = ".parquet, .csv, .ndjson, .jsonl, .json"
_suffix = re.compile(r"\.(parquet|csv|ndjson|jsonl|json)\Z", re.IGNORECASE)
Text = Annotated[str, Meta(max_length=1000)]


class ModelFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The form fields of an upload, beside its files."""

    model_id: str | None = None
    """The name of the model, where the path does not have it."""
    version: Annotated[int, Meta(ge=1, le=MAX_VERSION)] | None = None
    """Number of the version; by default the next one."""
    alias: str | None = None
    """Points this alias to the version once it is ready."""
    metadata: Annotated[str, Meta(max_length=65_536)] = "{}"
    """A JSON object of texts, such as metrics."""
    requirements: list[Text] = []
    """Packages that the model needs, such as `scikit-learn==1.5.2`; repeatable, or a file."""
    classes: Text | None = None
    """Class labels in order, separated by commas, for files that number them."""
    trust: bool = False
    """Whether the model may run code when it is loaded; needs a server that trusts uploads."""
    exact: bool = False
    """Whether each request is computed alone."""
    max_queue_seconds: QueueLimit | None = None
    timeout_seconds: RunLimit | None = None
    by: ShortText = WITH_KEY
    why: ShortText = ""


class ModelForm:
    """A parsed form, whose files are in a directory."""

    def __init__(self, request: Request, directory: Path, settings: Settings) -> None:
        """Read the whole form; raises `Malformed`, `Invalid`, `TooLarge` or `OSError`."""
        self._directory, self._settings = directory, settings
        self._received: dict[str, Path] = {}
        self._opened_files = 0
        self._digest = blake2b(digest_size=16)
        with ExitStack() as self._open:
            form, files = parse_form(request, self._opened)
            for unknown in sorted(files.keys() - {*_FILES}):
                raise invalid_field(unknown, f"an upload has the files {', '.join(_FILES)}")
            for part, given in files.lists():
                self._keep(part, given)
        self.fields = read_form(form, ModelFields, REPEATED_FIELDS)
        self._digest.update(msgspec.json.encode([*form.lists()]))

    @property
    def fingerprint(self) -> str:
        """Hash of fields and files, for idempotency."""
        return self._digest.hexdigest()

    def request(self, name: str | None) -> RegistrationRequest:
        """The request in the form; raises `Invalid`. ``name``: that in the path, if it has one."""
        fields = self.fields
        if (name is None) == (fields.model_id is None):
            raise invalid_field("model_id", "the model is named by the path, or else by model_id")
        if "file" not in self._received:
            raise invalid_field("file", "the form has no part 'file' with a file name")
        if fields.alias is not None:
            checked_name(fields.alias, "alias")
        sample = self._received.get("sample")
        return RegistrationRequest(
            model=checked_name(name or fields.model_id or ""),
            trust=fields.trust,
            exact=fields.exact,
            alias=fields.alias,
            sample=None if sample is None else sample.name,
            metadata=_metadata(fields.metadata),
            requirements=self._requirements(),
            classes=_labels(fields.classes),
            max_queue_seconds=fields.max_queue_seconds,
            timeout_seconds=fields.timeout_seconds,
            cause=Cause(fields.by, fields.why),
        )

    def _requirements(self) -> tuple[str, ...]:
        """The file of the requirements, those of the fields included; none without any."""
        path = self._directory / REQUIREMENTS
        if self.fields.requirements:
            with path.open("a") as file:
                file.writelines(f"\n{line}" for line in self.fields.requirements)
                file.flush()
                os.fsync(file.fileno())
        return (REQUIREMENTS,) if path.exists() else ()

    def _keep(self, part: str, given: list[FileStorage]) -> None:
        """Sync the file of a part, and give it the name by which the gate finds it."""
        if len(given) > 1:
            raise invalid_field(part, f"an upload has one {part}")
        file, suffix = given[0].stream, _suffix.search(given[0].filename or "")
        if part == "sample" and suffix is None:
            raise invalid_field(part, f"the name of a sample ends in one of {_SUFFIXES}")
        file.flush()
        os.fsync(file.fileno())
        # By its size: the parser has gone back to its start.
        self._check_size(os.fstat(file.fileno()).st_size)
        named = {"file": MODEL, "requirements": REQUIREMENTS}.get(part)
        path = self._directory / (named or f"sample{suffix[0].lower() if suffix else ''}")
        Path(file.name).rename(path)
        self._received[part] = path
        sync_directory(self._directory)

    def _opened(self, _: str) -> IO[bytes]:
        self._opened_files += 1
        if self._opened_files > len(_FILES):  # before anything of it is on the disk
            raise invalid_field("file", f"an upload has the files {', '.join(_FILES)}")
        path = self._directory / f"part-{uuid4().hex}"
        file = self._open.enter_context(open_with_reserve(path, "wb", self._settings.spare_bytes))
        watched = Watched(file, lambda: self._check_size(file.tell()), self._digest)
        return cast("IO[bytes]", watched)

    def _check_size(self, size: int) -> None:
        if size > self._settings.max_model_bytes:
            most = self._settings.max_model_bytes // 2**20
            raise TooLarge(f"a file may have at most {most} MiB (PREDICTQ_MAX_MODEL_BYTES)")


def _metadata(text: str) -> dict[str, str]:
    try:
        return msgspec.json.decode(text, type=dict[str, str])
    except msgspec.DecodeError as error:
        raise invalid_field("metadata", f"metadata is a JSON object of texts: {error}") from error


def _labels(classes: str | None) -> tuple[Any, ...] | None:
    """Class labels: whole numbers if all of them are, else text."""
    if classes is None:
        return None
    labels = tuple(label.strip() for label in classes.split(","))
    if len(set(labels)) < len(labels) or not all(labels):
        raise invalid_field("classes", "classes are different labels, separated by commas")
    try:
        return tuple(map(int, labels))
    except ValueError:
        return labels
