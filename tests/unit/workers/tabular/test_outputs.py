"""A model's output becomes one entry per row, as JSON values."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputClassifier

from tasks.wire import encode
from telemetry.errors import ModelError
from workers.models.tabular import outputs
from workers.models.tabular.outputs import joined_outputs, merge_outputs, to_output, to_wire

IRIS = load_iris()


@pytest.mark.parametrize(
    ("output", "wire"),
    [
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array([1, 2]), [1, 2]),
        (np.array([True]), [True]),
        (np.array([np.int64(3), "x", None], dtype=object), [3, "x", None]),
        (np.array([0.1, math.nan, math.inf, -math.inf]), [0.1, None, "Infinity", "-Infinity"]),
        (np.array([[0.5, math.nan]], dtype=np.float32), [[0.5, None]]),
        ((np.array([[0.1, 0.9]]), np.array([[0.3, 0.7]])), [[[0.1, 0.9], [0.3, 0.7]]]),
        ([np.array([[0.1, 0.9]]), np.array([[0.3, 0.7]])], [[[0.1, 0.9], [0.3, 0.7]]]),
        (pd.Series([1.5]), [1.5]),
        ([1, 2], [1, 2]),
        (pd.DataFrame({"a": [1, 2], "b": ["x", None]}), [[1, "x"], [2, None]]),
        (pd.array([1, None], dtype="Int64"), [1.0, None]),
        (
            pd.DataFrame({"a": pd.array([1, None], "Int64"), "b": ["x", pd.NaT]}),
            [[1, "x"], [None, None]],
        ),
        (np.array([1.5, math.inf, np.float64("nan")], dtype=object), [1.5, "Infinity", None]),
        (sparse.csr_matrix([[0.0, 2.0], [1.0, 0.0]]), [[0.0, 2.0], [1.0, 0.0]]),
        (
            [sparse.csr_matrix([[1.0, 0.0]]), sparse.csr_array([[0.0, 3.0]])],
            [[[1.0, 0.0], [0.0, 3.0]]],
        ),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.zeros((1, 2, 2)), [[[0.0, 0.0], [0.0, 0.0]]]),
        ([[1], [2, 3]], [[1], [2, 3]]),
        ([np.array([1]), np.array([2, 3])], [[1], [2, 3]]),
        ([1, "a"], [1, "a"]),
        (["a", math.nan], ["a", None]),
        ([True, 2.5], [True, 2.5]),
        ([np.bool_(True), False], [True, False]),
        ([b"a\0", "a\0"], [b"a\0", "a\0"]),
        ([("yes", 0.5), ("no", 0.25)], [["yes", 0.5], ["no", 0.25]]),
        ([np.float32(0.5), np.float32(0.25)], [0.5, 0.25]),
        ([1, 2.5], [1.0, 2.5]),
        (
            [{"a": np.int8(1), "b": (math.inf, np.float64(0.5))}, {"b": math.nan}],
            [{"a": 1, "b": ["Infinity", 0.5]}, {"b": None}],
        ),
    ],
)
def test_outputs_become_plain_json_values(output, wire):
    rows = len(wire)
    plain = to_wire(to_output(output, rows))
    assert plain == wire
    assert [type(value) for value in plain] == [type(value) for value in wire]


def test_a_long_text_does_not_widen_the_others():
    output = to_output(["x" * 1_000_000, *["y"] * 10_000], 10_001)
    assert output.nbytes < 100_000


def test_times_with_a_zone_become_text():
    moments = pd.Series(pd.to_datetime(["2026-01-02T03:04:05.000000007Z", None]))
    assert encode(to_wire(to_output(moments, 2))) == b'["2026-01-02T03:04:05Z",null]'
    assert encode(to_wire(to_output([pd.Timedelta(90, "s"), pd.NaT], 2))) == b'["PT90S",null]'


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_become_text_whatever_their_unit(unit):
    moments = np.array(["2026-01-02T03:04:05", "NaT"], f"M8[{unit}]")
    assert encode(to_wire(to_output(moments, 2))) == b'["2026-01-02T03:04:05",null]'
    assert (
        encode(to_wire(to_output(np.array([90], "m8[m]").astype(f"m8[{unit}]"), 1)))
        == b'["PT5400S"]'
    )


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (None, "gave None, expected one prediction a row"),
        (1.5, "gave a value of type float, expected one prediction a row"),
        (np.float64(1.5), "gave a value of type float64"),
        (np.array(1.5), "gave a value of type ndarray"),
        ("yes", "gave a value of type str"),
        ([], "gave 0 predictions for 2 rows"),
        (np.zeros((1, 2)), "gave 1 predictions for 2 rows"),
        (np.zeros(3), "gave 3 predictions for 2 rows"),
        ((np.zeros(2), np.zeros(3), np.zeros(2)), "gave 3 predictions for 2 rows"),
        (sparse.csr_matrix((3, 2)), "gave 3 predictions for 2 rows"),
        (pd.DataFrame({"a": [1]}), "gave 1 predictions for 2 rows"),
    ],
)
def test_output_without_an_entry_for_each_row_is_a_model_error(output, told):
    with pytest.raises(ModelError, match=told):
        to_output(output, 2)


def test_sparse_answer_is_bounded(monkeypatch):
    monkeypatch.setattr(outputs, "MAX_DENSE_VALUES", 6)
    assert to_output(sparse.csr_matrix((2, 3)), 2).tolist() == [[0.0] * 3] * 2
    assert to_output(sparse.csr_array((2, 3)), 2).shape == (2, 3)
    with pytest.raises(ModelError, match="a sparse answer of 8 values; at most 6 are sent"):
        to_output(sparse.csr_matrix((2, 4)), 2)


def test_sparse_answer_beyond_the_bound_is_never_made_dense():
    with pytest.raises(ModelError, match=r"1,000,000,000,000 values"):
        to_output(sparse.csr_matrix((10, 10**11)), 10)


@pytest.mark.parametrize("output", [np.array([object()]), np.array([1j]), np.array([{1j}])])
def test_output_without_json_raises(output):
    with pytest.raises((TypeError, ValueError)):
        to_wire(to_output(output, 1))


def test_probabilities_of_several_outputs_come_row_by_row():
    y = np.c_[IRIS.target, IRIS.target == 0]
    model = MultiOutputClassifier(LogisticRegression(max_iter=1000)).fit(IRIS.data, y)
    first, second = model.predict_proba(IRIS.data[:5])
    wire = to_wire(to_output(model.predict_proba(IRIS.data[:5]), 5))
    assert wire == [[first[i].tolist(), second[i].tolist()] for i in range(5)]


def test_outputs_as_many_as_rows_are_told_from_an_array_a_row():
    pair = [np.array([[0.1, 0.9], [0.2, 0.8]]), np.array([[0.3, 0.7], [0.4, 0.6]])]
    assert to_wire(to_output(pair, 2)) == [[[0.1, 0.9], [0.3, 0.7]], [[0.2, 0.8], [0.4, 0.6]]]
    wide = [np.zeros((2, 3)), np.ones((2, 3))]
    assert to_wire(to_output(wide, 2)) == [[[0.0] * 3, [1.0] * 3]] * 2
    flat = [np.array([1, 2]), np.array([3, 4])]
    assert to_wire(to_output(flat, 2)) == [[1, 2], [3, 4]]
    assert to_wire(to_output((*flat,), 2)) == [[1, 3], [2, 4]]
    cube = np.arange(8).reshape(2, 2, 2)
    assert to_wire(to_output(cube, 2)) == cube.tolist()
    ragged = [np.array([1.0]), np.array([2.0, 3.0])]
    assert to_wire(to_output(ragged, 2)) == [[1.0], [2.0, 3.0]]


@given(st.lists(st.integers(0, 2), min_size=1, max_size=20), st.booleans())
def test_output_pieces_come_back_in_row_order(kinds, several):
    rows = np.arange(len(kinds))
    positions = [np.flatnonzero(np.array(kinds) == kind) for kind in sorted(set(kinds))]
    pieces = [[rows[p], rows[p] * 2] if several else rows[p] for p in positions]
    together = merge_outputs(pieces, positions)
    found = together if several else [together]
    assert [each.tolist() for each in found] == [rows.tolist(), (rows * 2).tolist()][: len(found)]


def test_pieces_of_a_block_are_joined():
    assert joined_outputs([np.array([1]), np.array([2, 3])]).tolist() == [1, 2, 3]
    first, second = joined_outputs(
        [[np.array([1]), np.array([[2]])], [np.array([3]), np.array([[4]])]]
    )
    assert (first.tolist(), second.tolist()) == ([1, 3], [[2], [4]])
