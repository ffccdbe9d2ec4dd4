"""Compares column transformers with scikit-learn's own, on frames made of what their parts know."""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from workers.models.kernels.comparing import equal_bits
from workers.models.kernels.frames.blocks import Maker, SelectedColumns, StepsAfter
from workers.models.kernels.frames.encoders import REFUSED, ColumnMapping, EncodedColumns
from workers.models.tabular.columns import OBJECT, Array

ROWS = 64
_TEXT_DTYPES = ("object", "str", "category")


def frames_agree(original: Any, twin: Any) -> bool:
    """Whether both make the same matrices, in bits and layout, of frames with and without gaps.

    If a transformer has no shorter way, its columns are unknown: then the others' blocks are
    compared one by one. Raises whatever the transformers raise for values that they know.
    """
    prepared = twin.kernel
    made = [maker for maker in prepared.makers if not isinstance(maker, SelectedColumns)]
    frames = [*_frames(prepared.names, made)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if len(made) == len(prepared.makers):
            usual = prepared.blocks(frames[0]) is not None
            return usual and all(
                _same(*_answers(original.transform, twin.transform, frame)) for frame in frames
            )
        return all(_blocks_agree(original, prepared.makers, frame) for frame in frames)


def _blocks_agree(original: Any, makers: Sequence[Maker], frame: pd.DataFrame) -> bool:
    parts = original._iter(
        fitted=True, column_as_labels=True, skip_drop=True, skip_empty_columns=True
    )
    return all(
        isinstance(maker, SelectedColumns) or _block_agrees(transformer, columns, maker, frame)
        for maker, (_, transformer, columns, _) in zip(makers, parts, strict=True)
    )


def _block_agrees(transformer: Any, columns: Any, maker: Maker, frame: pd.DataFrame) -> bool:
    found = maker.block(frame)
    if found is None:
        return True
    original = transformer.transform(frame[columns.tolist()])
    original = original.toarray() if hasattr(original, "toarray") else np.asarray(original)
    if len(frame) == 1:
        # Stacking blocks looks at no stride of an axis of length one, and these are accidental.
        original, found = original.copy(), found.copy()
    return _same(original, found)


def _answers(original: Any, twin: Any, frame: pd.DataFrame) -> tuple[Any, Any]:
    """Both answers; the messages of both if they refuse the frame."""
    answers = []
    for transform in (original, twin):
        try:
            answers.append(transform(frame))
        except Exception as error:  # noqa: BLE001 - whatever it is, both must raise it
            answers.append(np.frombuffer(f"{type(error)}{error}".encode(), np.uint8))
    return answers[0], answers[1]


def _same(original: Any, found: Any) -> bool:
    if type(original) is not type(found):
        return False
    if hasattr(original, "indptr"):
        return original.shape == found.shape and all(
            equal_bits(getattr(original, part), getattr(found, part))
            for part in ("data", "indices", "indptr")
        )
    if original.dtype == OBJECT:
        return bool(found.dtype == OBJECT and repr(original.tolist()) == repr(found.tolist()))
    return equal_bits(original, found) and original.strides == found.strides


def _frames(names: Sequence[Any], makers: Sequence[Maker]) -> Iterator[pd.DataFrame]:
    """Frames of many rows and of one: without gaps, with missing values, with unknown ones."""
    random, mappings = np.random.default_rng(0), dict(_mappings(makers))
    for text in _TEXT_DTYPES:
        for strange in ((), ("missing",), ("unknown",), ("missing", "unknown")):
            frame = pd.DataFrame(
                {
                    name: _column(mappings.get(index), text, strange, random)
                    for index, name in enumerate(names)
                }
            )
            yield frame
            yield frame[:1]


def _mappings(makers: Sequence[Maker]) -> Iterator[tuple[int, ColumnMapping]]:
    for maker in makers:
        encoded = maker.first if isinstance(maker, StepsAfter) else maker
        if isinstance(encoded, EncodedColumns):
            yield from zip(encoded.indices, encoded.mappings, strict=True)


def _column(
    mapping: ColumnMapping | None, text: str, strange: Sequence[str], random: np.random.Generator
) -> Any:
    """A column of a frame; numbers if no encoder has it."""
    if mapping is None:
        numbers = random.normal(size=ROWS) * 10.0 ** random.integers(-3, 6, size=ROWS)
        return np.where(random.random(ROWS) < 1 / 8, np.nan, numbers) if strange else numbers
    known = [value for value, row in mapping.rows.items() if row != REFUSED and value is not None]
    more = {
        "missing": [np.nan, *([None] if None in mapping.rows else [])],
        "unknown": [_unknown(mapping)],
    }
    drawn: list[Any] = [known[at] for at in random.integers(0, len(known), ROWS)]
    for index, value in enumerate(value for name in strange for value in more[name]):
        drawn[5 * index] = value
    return _typed(drawn, mapping.dtypes[0], text)


def _unknown(mapping: ColumnMapping) -> Any:
    if mapping.dtypes[0] == OBJECT:
        return "\0 unknown"
    return -1234567


def _typed(drawn: list[Any], dtype: Any, text: str) -> Array:
    if dtype == OBJECT:
        texts = all(isinstance(value, str | float | None) for value in drawn)
        return pd.Series(drawn, dtype=text if texts else OBJECT)
    if dtype.kind in "ib" and any(value != value for value in drawn):
        return pd.Series(drawn, dtype=float)
    return pd.Series(drawn).astype(dtype)
