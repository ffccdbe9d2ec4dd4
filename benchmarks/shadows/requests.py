"""Predictions as a pool process has answered them."""

import time
from typing import Any

from registry.manifest import Column, Description, Manifest, Signature
from registry.storage.model_settings import Shadow
from registry.store import Registry
from tasks.record import Record
from workers.compute.admission import AdmittedRequest


def registered(registry: Registry, columns: int) -> Manifest:
    """Register two versions that are never loaded; returns the first."""
    named = tuple(Column(f"x{i}") for i in range(columns))
    signature = Signature(named, named=True, frame=True, methods=("predict",))
    description = Description(
        sha256="2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
        format="skops",
        trusted=False,
        size=1,
        estimator="",
        parameters={},
        libraries={},
        signature=signature,
        example=None,
        metadata={},
    )
    first = registry.add("m", description, b"x", version=1)
    registry.add("m", description, b"x", version=2)
    return first


def answered(manifest: Manifest, shadow: Shadow | None) -> AdmittedRequest:
    """A prediction of one row, whose alias has this shadow."""
    record = Record(
        status="SUCCESS",
        state="succeeded",
        task_id="id",
        model="m",
        version=1,
        alias="production",
        method="predict",
        created_at=time.time(),
    )
    item: Any = None
    rows = [[float(i) for i in range(len(manifest.signature.columns))]]
    return AdmittedRequest(item, 1, record, manifest, rows, shadow)
