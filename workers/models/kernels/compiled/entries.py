"""The loops for callers in C, which pass the address and the sizes of each array."""

from collections.abc import Callable
from typing import Any

import numpy as np

from workers.models.kernels.compiled.layout import NODE

_FLOATS, _BITS = np.dtype(np.float64), np.dtype(np.uint32)
_TREES = (NODE, 1), (np.dtype(np.uint8), 1), (np.dtype(np.int64), 1), (_FLOATS, 2)
ARRAYS: dict[str, tuple[tuple[Any, int], ...]] = {
    "add_leaves": ((np.dtype(np.float32), 2), *_TREES, (_FLOATS, 2)),
    "add_histogram_leaves": ((_FLOATS, 2), *_TREES, (_BITS, 2), (_BITS, 2), (_FLOATS, 2)),
}
"""Name of the loop → type and dimensions of its arrays."""


def _add_leaves(loop: Any, array: Any) -> Callable[..., None]:
    def entry(
        x: Any,
        rows: Any,
        columns: Any,
        nodes: Any,
        node_count: Any,
        left_if_missing: Any,
        _: Any,
        roots: Any,
        trees: Any,
        values: Any,
        leaves: Any,
        width: Any,
        out: Any,
        out_rows: Any,
        out_width: Any,
    ) -> None:
        loop(
            array(x, (rows, columns)),
            array(nodes, (node_count,)),
            array(left_if_missing, (node_count,)),
            array(roots, (trees,)),
            array(values, (leaves, width)),
            array(out, (out_rows, out_width)),
        )

    return entry


def _add_histogram_leaves(loop: Any, array: Any) -> Callable[..., None]:
    def entry(
        x: Any,
        rows: Any,
        columns: Any,
        nodes: Any,
        node_count: Any,
        left_if_missing: Any,
        _: Any,
        roots: Any,
        trees: Any,
        values: Any,
        leaves: Any,
        width: Any,
        left_categories: Any,
        splits: Any,
        left_words: Any,
        known_categories: Any,
        known_columns: Any,
        known_words: Any,
        out: Any,
        outputs: Any,
        out_rows: Any,
    ) -> None:
        loop(
            array(x, (rows, columns)),
            array(nodes, (node_count,)),
            array(left_if_missing, (node_count,)),
            array(roots, (trees,)),
            array(values, (leaves, width)),
            array(left_categories, (splits, left_words)),
            array(known_categories, (known_columns, known_words)),
            array(out, (outputs, out_rows)),
        )

    return entry


ENTRIES: dict[str, Callable[[Any, Any], Callable[..., None]]] = {
    "add_leaves": _add_leaves,
    "add_histogram_leaves": _add_histogram_leaves,
}
"""Name of the loop → a function of the compiled loop and `numba.carray`."""
