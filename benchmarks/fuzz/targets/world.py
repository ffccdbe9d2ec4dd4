"""The registry and settings of the targets; artifacts are never loaded."""

import hashlib
from pathlib import Path
from typing import Any

from registry.manifest import Column, Description, Signature
from registry.store import Registry
from tasks.settings import Settings

NUMBERS = Signature((Column("x0"), Column("x1", nullable=True)), False, False, ("predict",))
MIXED = Signature(
    (
        Column("age", nullable=True),
        Column("city", "category", categories=("Bonn", "Köln"), nullable=True),
        Column("vip", "boolean"),
        Column("since", "datetime", nullable=True),
        Column("note", "any", nullable=True),
    ),
    named=True,
    frame=True,
    methods=("predict", "predict_proba"),
    classes=("no", "yes"),
)
TEXTS = Signature((Column("text", "string"),), False, False, ("predict",), flat=True)
SIGNATURES = {"numbers": NUMBERS, "mixed": MIXED, "texts": TEXTS}


def registry(home: Path) -> Registry:
    """A registry with these models."""
    registry = Registry(home)
    for name, signature in SIGNATURES.items():
        registry.add(name, _description(name.encode(), signature), name.encode(), alias="best")
    return registry


def settings(home: Path) -> Settings:
    """Settings of a server."""
    return Settings(home=home, redis_url="redis://127.0.0.1:1")


def _description(artifact: bytes, signature: Signature) -> Description:
    told: dict[str, Any] = {"parameters": {}, "libraries": {}, "metadata": {}, "example": None}
    return Description(
        sha256=hashlib.sha256(artifact).hexdigest(),
        format="skops",
        trusted=False,
        size=len(artifact),
        estimator="E",
        signature=signature,
        **told,
    )
