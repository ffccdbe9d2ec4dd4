"""Scores files as a job does, with a model that a line of NumPy can check."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from registry.manifest import Column, Signature
from tests.unit.workers.tables.sources import blocks
from workers.jobs.tables.output.columns import columns, empty_columns, output
from workers.jobs.tables.output.writing import assemble, write_errors, write_part

NAMES = {
    "predict": ["prediction"],
    "predict_proba": ["probability_no", "probability_yes"],
    "decision_function": ["decision"],
}
AB = Signature(
    (Column("a"), Column("b")), True, False, ("predict", "predict_proba"), classes=("no", "yes")
)


def answers(rows: Any) -> dict[str, Any]:
    """The model's answers to rows of two numbers."""
    return {
        "predict": np.where(rows[:, 0] > rows[:, 1], "yes", "no"),
        "predict_proba": rows / (1 + abs(rows).sum(axis=1, keepdims=True)),
        "decision_function": rows[:, 0] - rows[:, 1],
    }


def scored(
    source: Path,
    format: Any,
    target: Path,
    written: Any,
    *,
    methods: Sequence[str] = AB.methods,
    rows: int = 40,
    **more: Any,
) -> Path:
    """Score blocks as a job does: answer each, write it as a part, and assemble the output."""
    parts: list[Path] = []
    errors: list[Path] = []
    for number, block in enumerate(blocks(source, format, AB, rows, **more)):
        found = answers(block.features.whole()) if len(block.good) else None
        asked = {method: found[method] for method in methods} if found else None
        made = (
            columns(AB, asked)
            if asked
            else empty_columns([name for method in methods for name in NAMES[method]])
        )
        parts.append(target.parent / f"part-{number}")
        errors.append(target.parent / f"errors-{number}")
        write_part(parts[-1], written, output(block, block.good, made), 0)
        write_errors(errors[-1], sorted(block.bad, key=lambda row: row.line), 0)
    assemble(parts, target, written, 0)
    assemble(errors, target.parent / "errors.ndjson", "ndjson", 0)
    return target
