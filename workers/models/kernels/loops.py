"""The loop over the trees of a forest that is compiled: in the part of Python that numba knows.

Four rows walk a tree together, because the processor then waits for the memory of four nodes at
once. Their steps are written out, and indices are unsigned: what numba makes of calls, or of
indices that may be negative, takes several times as long.
"""

from typing import Any

import numpy as np

ROWS_TOGETHER = 256
"""Rows that pass a tree before the next tree: few enough to stay in the processor's cache."""
U = np.uintp


def add_leaves(  # noqa: C901 - four times the same step
    x: Any, nodes: Any, left_if_missing: Any, roots: Any, values: Any, out: Any
) -> None:
    """Add the values of each tree's leaf to the rows of ``out``, tree after tree.

    ``x`` has shape (rows, features), float32, and ``out`` (rows, values); the others are as of
    `workers.models.kernels.layout.Trees`.
    """
    for start in range(0, x.shape[0], ROWS_TOGETHER):
        stop = min(start + ROWS_TOGETHER, x.shape[0])
        for tree in range(roots.shape[0]):
            root = U(roots[tree])
            i = start
            while i + 4 <= stop:
                a = b = c = d = root
                while True:
                    fa, fb = nodes[a].feature, nodes[b].feature
                    fc, fd = nodes[c].feature, nodes[d].feature
                    if (fa & fb & fc & fd) < 0:  # all four are leaves
                        break
                    if fa >= 0:
                        value = x[U(i), U(fa)]
                        right = not (value <= nodes[a].threshold)
                        if value != value:  # NaN
                            right = not left_if_missing[a]
                        a = U(nodes[a].child) + U(right)
                    if fb >= 0:
                        value = x[U(i + 1), U(fb)]
                        right = not (value <= nodes[b].threshold)
                        if value != value:  # NaN
                            right = not left_if_missing[b]
                        b = U(nodes[b].child) + U(right)
                    if fc >= 0:
                        value = x[U(i + 2), U(fc)]
                        right = not (value <= nodes[c].threshold)
                        if value != value:  # NaN
                            right = not left_if_missing[c]
                        c = U(nodes[c].child) + U(right)
                    if fd >= 0:
                        value = x[U(i + 3), U(fd)]
                        right = not (value <= nodes[d].threshold)
                        if value != value:  # NaN
                            right = not left_if_missing[d]
                        d = U(nodes[d].child) + U(right)
                for k in range(out.shape[1]):
                    out[U(i), U(k)] += values[U(nodes[a].child), U(k)]
                    out[U(i + 1), U(k)] += values[U(nodes[b].child), U(k)]
                    out[U(i + 2), U(k)] += values[U(nodes[c].child), U(k)]
                    out[U(i + 3), U(k)] += values[U(nodes[d].child), U(k)]
                i += 4
            while i < stop:
                at = root
                feature = nodes[at].feature
                while feature >= 0:
                    value = x[U(i), U(feature)]
                    right = not (value <= nodes[at].threshold)
                    if value != value:  # NaN
                        right = not left_if_missing[at]
                    at = U(nodes[at].child) + U(right)
                    feature = nodes[at].feature
                for k in range(out.shape[1]):
                    out[U(i), U(k)] += values[U(nodes[at].child), U(k)]
                i += 1
