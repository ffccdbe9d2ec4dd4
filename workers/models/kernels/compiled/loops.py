"""The loops over trees that are compiled: in the part of Python that numba knows.

Eight rows walk a tree of a forest together, because the processor then waits for the memory of
eight nodes at once. A row that has reached its leaf stays there until all eight have: a branch for
each row would be guessed wrong by the processor, which takes longer than the steps in vain.
The steps are written out, and indices are unsigned: what numba makes of calls, or of indices that
may be negative, takes several times as long.
"""

from typing import Any

import numpy as np

ROWS_TOGETHER = 256
"""Rows that pass a tree before the next tree: few enough to stay in the processor's cache."""
UINT = np.uintp
TOO_LARGE = 2.0**31
"""Floats from here on are category 0, as in C, where a conversion takes 32 bits of them."""


def add_leaves(  # noqa: C901 - eight times the same step
    x: Any, nodes: Any, left_if_missing: Any, roots: Any, values: Any, out: Any
) -> None:
    """Add the values of each tree's leaf to the rows of ``out``, tree after tree.

    ``x`` has shape (rows, features), float32, and ``out`` (rows, values); the others
    are the fields of `workers.models.kernels.compiled.layout.Trees`.
    """
    for start in range(0, x.shape[0], ROWS_TOGETHER):
        stop = min(start + ROWS_TOGETHER, x.shape[0])
        for tree in range(roots.shape[0]):
            root = UINT(roots[tree])
            i = start
            while i + 8 <= stop:
                a = b = c = d = e = f = g = h = root
                while True:
                    fa, fb = nodes[a].feature, nodes[b].feature
                    fc, fd = nodes[c].feature, nodes[d].feature
                    fe, ff = nodes[e].feature, nodes[f].feature
                    fg, fh = nodes[g].feature, nodes[h].feature
                    if (fa & fb & fc & fd & fe & ff & fg & fh) < 0:  # all eight are leaves
                        break
                    value = x[UINT(i), UINT(max(fa, 0))]
                    right = not (value <= nodes[a].threshold)
                    if value != value:  # NaN
                        right = not left_if_missing[a]
                    a = UINT(nodes[a].child) + UINT(right)
                    value = x[UINT(i + 1), UINT(max(fb, 0))]
                    right = not (value <= nodes[b].threshold)
                    if value != value:
                        right = not left_if_missing[b]
                    b = UINT(nodes[b].child) + UINT(right)
                    value = x[UINT(i + 2), UINT(max(fc, 0))]
                    right = not (value <= nodes[c].threshold)
                    if value != value:
                        right = not left_if_missing[c]
                    c = UINT(nodes[c].child) + UINT(right)
                    value = x[UINT(i + 3), UINT(max(fd, 0))]
                    right = not (value <= nodes[d].threshold)
                    if value != value:
                        right = not left_if_missing[d]
                    d = UINT(nodes[d].child) + UINT(right)
                    value = x[UINT(i + 4), UINT(max(fe, 0))]
                    right = not (value <= nodes[e].threshold)
                    if value != value:
                        right = not left_if_missing[e]
                    e = UINT(nodes[e].child) + UINT(right)
                    value = x[UINT(i + 5), UINT(max(ff, 0))]
                    right = not (value <= nodes[f].threshold)
                    if value != value:
                        right = not left_if_missing[f]
                    f = UINT(nodes[f].child) + UINT(right)
                    value = x[UINT(i + 6), UINT(max(fg, 0))]
                    right = not (value <= nodes[g].threshold)
                    if value != value:
                        right = not left_if_missing[g]
                    g = UINT(nodes[g].child) + UINT(right)
                    value = x[UINT(i + 7), UINT(max(fh, 0))]
                    right = not (value <= nodes[h].threshold)
                    if value != value:
                        right = not left_if_missing[h]
                    h = UINT(nodes[h].child) + UINT(right)
                for k in range(out.shape[1]):
                    out[UINT(i), UINT(k)] += values[UINT(-1 - fa), UINT(k)]
                    out[UINT(i + 1), UINT(k)] += values[UINT(-1 - fb), UINT(k)]
                    out[UINT(i + 2), UINT(k)] += values[UINT(-1 - fc), UINT(k)]
                    out[UINT(i + 3), UINT(k)] += values[UINT(-1 - fd), UINT(k)]
                    out[UINT(i + 4), UINT(k)] += values[UINT(-1 - fe), UINT(k)]
                    out[UINT(i + 5), UINT(k)] += values[UINT(-1 - ff), UINT(k)]
                    out[UINT(i + 6), UINT(k)] += values[UINT(-1 - fg), UINT(k)]
                    out[UINT(i + 7), UINT(k)] += values[UINT(-1 - fh), UINT(k)]
                i += 8
            while i < stop:
                at = root
                feature = nodes[at].feature
                while feature >= 0:
                    value = x[UINT(i), UINT(feature)]
                    right = not (value <= nodes[at].threshold)
                    if value != value:  # NaN
                        right = not left_if_missing[at]
                    at = UINT(nodes[at].child) + UINT(right)
                    feature = nodes[at].feature
                for k in range(out.shape[1]):
                    out[UINT(i), UINT(k)] += values[UINT(-1 - feature), UINT(k)]
                i += 1


def add_histogram_leaves(
    x: Any,
    nodes: Any,
    left_if_missing: Any,
    roots: Any,
    values: Any,
    left_categories: Any,
    known_categories: Any,
    out: Any,
) -> None:
    """Add the value of each tree's leaf to a row of ``out``, tree after tree.

    ``x`` has shape (rows, columns), float64, and ``out`` (outputs, rows); the trees take turns with
    the outputs. A node whose feature is ``columns`` or more splits on the categories of the feature
    less ``columns``; its threshold is its row in ``left_categories``. These have shape (splits, 8),
    and ``known_categories`` (columns, 8): a bit for each of 256 categories.
    """
    columns = x.shape[1]
    for start in range(0, x.shape[0], ROWS_TOGETHER):
        for tree in range(roots.shape[0]):
            output = UINT(tree % out.shape[0])
            for i in range(start, min(start + ROWS_TOGETHER, x.shape[0])):
                at = UINT(roots[tree])
                feature = nodes[at].feature
                while feature >= 0:
                    if feature < columns:
                        value = x[UINT(i), UINT(feature)]
                        right = not (value <= nodes[at].threshold)
                        if value != value:  # NaN
                            right = not left_if_missing[at]
                    else:
                        feature -= columns
                        value = x[UINT(i), UINT(feature)]
                        right = not left_if_missing[at]  # also of negative and unknown categories
                        if value >= 0:
                            category = int(value) & 255 if value < TOO_LARGE else 0
                            word, bit = UINT(category >> 5), category & 31
                            row = UINT(nodes[at].threshold)
                            if (left_categories[row, word] >> bit) & 1:
                                right = False
                            elif (known_categories[UINT(feature), word] >> bit) & 1:
                                right = True
                    at = UINT(nodes[at].child) + UINT(right)
                    feature = nodes[at].feature
                out[output, UINT(i)] += values[UINT(-1 - feature), 0]
