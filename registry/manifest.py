"""What the registry keeps about one version: the manifest and the signature inside it."""

from typing import Any, Literal

import msgspec

Method = str
METHODS: tuple[Method, ...] = ("predict", "predict_proba", "decision_function")


class Column(msgspec.Struct, frozen=True, omit_defaults=True):
    """One input column: what it is called and what it takes."""

    name: str
    """The name it was fitted with, else ``x0``, ``x1``, …"""
    type: Literal["number", "string", "boolean", "any"] = "number"
    nullable: bool = False
    """Whether the model takes a missing value here (``null`` on the wire)."""
    infinite: bool = False
    """Whether the model takes an infinity here."""
    words: tuple[str, ...] = ()
    """Texts that read as missing elsewhere and are values in this column."""


class Signature(msgspec.Struct, frozen=True, cache_hash=True):
    """The input schema of a version; its hash is cached, it keys the compiled validators."""

    columns: tuple[Column, ...]
    named: bool
    """Whether the model has column names of its own; rows as objects need them."""
    frame: bool
    """Whether the model was fitted on a data frame and wants one."""
    methods: tuple[Method, ...]
    classes: tuple[Any, ...] | None = None
    """Labels in the order of ``predict_proba``'s columns, where there are any."""
    outputs: int = 1
    """Number of columns that ``predict`` gives for a row."""
    flat: bool = False
    """Whether the model wants a plain sequence, one value a row, as text vectorizers do."""


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What an artifact is, before the registry gives it a name and a version."""

    sha256: str
    """Of the artifact's bytes, 64 hexadecimal digits; checked at every load."""
    format: Literal["skops", "joblib", "pickle"]
    trusted: bool
    """Whether whoever registered it allowed the load to run code."""
    size: int
    """Of the artifact, bytes."""
    estimator: str
    """Qualified type name of the estimator."""
    parameters: dict[str, str]
    """``get_params()``, each value as its repr."""
    libraries: dict[str, str]
    """Library → version at registration."""
    signature: Signature
    example: list[Any] | None
    """One row that the model is known to take, in column order."""
    metadata: dict[str, str]
    """What was given at registration, metrics above all."""
    exact: bool = False
    """Whether each request is computed alone, so that answers are equal to the last bit."""
    max_queue_seconds: float | None = None
    """How long a request may wait that does not say it itself."""
    timeout_seconds: float | None = None
    """How long computing a request may take that does not say it itself."""


class Manifest(Description, frozen=True, kw_only=True):
    """One immutable version of a model."""

    name: str
    version: int
    created_at: str
    """RFC 3339, UTC."""

    @property
    def reference(self) -> str:
        """The model:version that names it for good."""
        return f"{self.name}:{self.version}"
