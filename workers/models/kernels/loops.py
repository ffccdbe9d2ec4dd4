"""The loop over the trees of a forest that is compiled: in the part of Python that numba knows.

Four rows walk a tree together, because the processor then waits for the memory of four nodes at
once. Their steps are written out, and indices are unsigned: what numba makes of calls, or of
indices that may be negative, takes several times as long.
"""

from typing import Any

import numpy as np

ROWS_TOGETHER = 256
"""Rows that pass a tree before the next tree: few enough to stay in the processor's cache."""
UINT = np.uintp


def add_leaves(  # noqa: C901 - four times the same step
    x: Any, nodes: Any, left_if_missing: Any, roots: Any, values: Any, out: Any
) -> None:
    """Add the values of each tree's leaf to the rows of ``out``, tree after tree.

    ``x`` has shape (rows, features), float32, and ``out`` (rows, values); the others
    are the fields of `workers.models.kernels.layout.Trees`.
    """
    for start in range(0, x.shape[0], ROWS_TOGETHER):
        stop = min(start + ROWS_TOGETHER, x.shape[0])
        for tree in range(roots.shape[0]):
            root = UINT(roots[tree])
            i = start
            while i + 4 <= stop:
                a = b = c = d = root
                while True:
                    fa, fb = nodes[a].feature, nodes[b].feature
                    fc, fd = nodes[c].feature, nodes[d].feature
                    if (fa & fb & fc & fd) < 0:  # all four are leaves
                        break
                    if fa >= 0:
                        value = x[UINT(i), UINT(fa)]
                        right = not (value <= nodes[a].threshold)
                        if value != value:  # NaN
                            right = not left_if_missing[a]
                        a = UINT(nodes[a].child) + UINT(right)
                    if fb >= 0:
                        value = x[UINT(i + 1), UINT(fb)]
                        right = not (value <= nodes[b].threshold)
                        if value != value:  # NaN
                            right = not left_if_missing[b]
                        b = UINT(nodes[b].child) + UINT(right)
                    if fc >= 0:
                        value = x[UINT(i + 2), UINT(fc)]
                        right = not (value <= nodes[c].threshold)
                        if value != value:  # NaN
                            right = not left_if_missing[c]
                        c = UINT(nodes[c].child) + UINT(right)
                    if fd >= 0:
                        value = x[UINT(i + 3), UINT(fd)]
                        right = not (value <= nodes[d].threshold)
                        if value != value:  # NaN
                            right = not left_if_missing[d]
                        d = UINT(nodes[d].child) + UINT(right)
                for k in range(out.shape[1]):
                    out[UINT(i), UINT(k)] += values[UINT(nodes[a].child), UINT(k)]
                    out[UINT(i + 1), UINT(k)] += values[UINT(nodes[b].child), UINT(k)]
                    out[UINT(i + 2), UINT(k)] += values[UINT(nodes[c].child), UINT(k)]
                    out[UINT(i + 3), UINT(k)] += values[UINT(nodes[d].child), UINT(k)]
                i += 4
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
                    out[UINT(i), UINT(k)] += values[UINT(nodes[at].child), UINT(k)]
                i += 1
