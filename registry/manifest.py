"""The manifest of a version, and the signature in it."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from registry.names import MAX_VERSION

Method = str
Kind = Literal[
    "number", "string", "boolean", "category", "datetime", "duration", "date", "decimal", "any"
]
Null = Literal["nan", "none", "nat", "na"]


class Column(msgspec.Struct, frozen=True, omit_defaults=True, cache_hash=True):
    """One input column: its name, the values it takes, and the dtype that the model expects."""

    name: str
    """The name at fitting, else ``x0``, ``x1``, …"""
    type: Kind = "number"
    """Type on the wire; ``any`` for an unknown column, which takes every JSON scalar."""
    nullable: bool = False
    """Whether the model accepts a missing value (``null`` on the wire)."""
    infinite: bool = False
    """Whether the model accepts an infinity."""
    dtype: str = ""
    """pandas's name of the dtype at training; empty if unknown."""
    null: Null = "nan"
    """The missing value at training: NaN, ``None``, NaT or ``pandas.NA``."""
    categories: tuple[Any, ...] | None = None
    """Values of a category, in order; else the values that encoders know, if any."""
    ordered: bool = False
    """Whether the categories are ordered."""
    unused: bool = False
    """Whether no step of the model uses the column; it takes any value, and may be absent."""
    least: float | str | None = None
    """The smallest value of the sample; for documentation only."""
    greatest: float | str | None = None
    """The greatest value of the sample; for documentation only."""
    words: tuple[str, ...] = ()
    """Texts that mean a missing value elsewhere, and are values in this column."""


class Signature(msgspec.Struct, frozen=True, cache_hash=True):
    """The input schema of a version. Its hash is cached: it keys the compiled validators."""

    columns: tuple[Column, ...]
    named: bool
    """Whether the model has column names; rows as objects require them."""
    frame: bool
    """Whether the model was fitted on a data frame, and so gets one."""
    methods: tuple[Method, ...]
    classes: tuple[Any, ...] | None = None
    """Labels in the order of ``predict_proba``'s columns, if there are any."""
    outputs: int = 1
    """Number of columns that ``predict`` returns per row."""
    flat: bool = False
    """Whether the model takes a sequence of single values, as text vectorizers do."""
    inverse: int | None = None
    """Number of columns that ``inverse_transform`` takes, if the model has it."""

    @property
    def main(self) -> Method:
        """The default method: ``predict``, else ``transform``, else the first."""
        likely = (name for name in ("predict", "transform") if name in self.methods)
        return next(likely, self.methods[0])


class Environment(msgspec.Struct, frozen=True):
    """The environment of a version that the shared one cannot serve."""

    lock: str
    """SHA-256 of its lock, which names every package with its version and hashes."""
    requirements: tuple[str, ...]
    """What was asked for, such as ``scikit-learn==1.5.2``."""
    python: str
    """Version of Python."""
    size: int
    """Bytes of its packages."""


class Optimization(msgspec.Struct, frozen=True):
    """The result of trying another runtime for a version."""

    runtime: str = ""
    """Library and version that computes calls of few rows; empty if the model computes all."""
    most_rows: int = 0
    """Most rows of such calls."""
    times: dict[str, dict[str, float]] = {}
    """Runtime → rows of a call → microseconds, at registration."""
    reason: str = ""
    """The reason for which the model computes all calls itself."""


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact and its properties, before it has a name and a version."""

    sha256: str
    """SHA-256 of the artifact, 64 hexadecimal digits; checked at every load."""
    format: str
    """Name of the artifact's format, such as ``onnx``; see `workers.models.formats.all_formats`."""
    trusted: bool
    """Whether code in the artifact may run at load, as allowed at registration."""
    size: int
    """Bytes of the artifact."""
    estimator: str
    """Qualified type name of the estimator."""
    parameters: dict[str, str]
    """``get_params()``, each value as its repr."""
    libraries: dict[str, str]
    """Library → version at registration."""
    signature: Signature
    example: list[Any] | None
    """One row, in column order, that the model accepts."""
    metadata: dict[str, str]
    """Free texts given at registration, such as metrics."""
    exact: bool = False
    """Whether each request is computed alone, for bit-identical results."""
    max_queue_seconds: float | None = None
    """Default queue time limit of requests, in seconds."""
    timeout_seconds: float | None = None
    """Default run time limit of requests, in seconds."""
    labels: tuple[Any, ...] | None = None
    """Class labels given at registration, in order, if the artifact does not keep them."""
    declared: dict[str, str] = {}
    """What the model's files say about themselves, such as the version that saved them."""
    environment: Environment | None = None
    """The environment that the version runs in; None for the shared one."""
    optimization: Optimization | None = None
    """None if no other runtime was tried."""


class Manifest(Description, frozen=True, kw_only=True):
    """One immutable version of a model."""

    name: str
    version: Annotated[int, Meta(ge=1, le=MAX_VERSION)]
    created_at: str
    """RFC 3339, UTC."""

    @property
    def reference(self) -> str:
        """``model:version``."""
        return f"{self.name}:{self.version}"

    @property
    def runs_code(self) -> bool:
        """Whether it runs code that came with it: in its artifact, or in packages of its own."""
        return self.trusted or self.environment is not None
