"""Features against signatures: valid ones become rows, and errors name column and reason."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.manifest import Column, Signature
from registry.rows import diagnosis
from registry.rows.validation import rows
from telemetry.errors import InvalidFeatures


def signature(*columns: Column, named: bool = True) -> Signature:
    return Signature(columns, named, False, ("predict",))


def pair(dtype: str = "float64") -> Signature:
    return signature(Column("age", dtype=dtype), Column("income", dtype=dtype))


PAIR = pair()
ONE = signature(Column("x0"), named=False)
SHAPES = "a row as a list, rows as a list of lists, a row as an object, or a list of objects"
VALUES = ", or, as the model has one column, a list of values"
MIXED = signature(
    Column("age", nullable=True, infinite=True),
    Column("city", "string"),
    Column("member", "boolean"),
    Column("free", "any", nullable=True),
)


def faults(sig: Signature, features: object) -> list[tuple[tuple, str]]:
    with pytest.raises(InvalidFeatures) as caught:
        rows(sig, features)
    return [(detail.loc, detail.msg) for detail in caught.value.errors]


@pytest.mark.parametrize(
    ("sig", "features", "expected"),
    [
        (PAIR, [1, 2.5], [[1, 2.5]]),
        (PAIR, [[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        (PAIR, {"income": 2, "age": 1}, [[1, 2]]),
        (PAIR, [{"income": 2, "age": 1}, {"age": 3, "income": 4}], [[1, 2], [3, 4]]),
        (PAIR, [1e308, 1e308], [[1e308, 1e308]]),
        (ONE, [5.1], [[5.1]]),
        (ONE, [[1], [2]], [[1], [2]]),
        (ONE, [5.1, 4.9], [[5.1], [4.9]]),
        (ONE, [True], [[True]]),
        (pair(dtype=""), [1, True], [[1, True]]),
        (PAIR, [{"age": 1, "income": 2, "x": []}, {"income": 4, "age": 3}], [[1, 2], [3, 4]]),
        (MIXED, [None, "Rome", True, "x"], [[None, "Rome", True, "x"]]),
        (MIXED, [math.inf, "Rome", False, None], [[math.inf, "Rome", False, None]]),
        (MIXED, [math.nan, "Rome", False, 2], [[None, "Rome", False, 2]]),
    ],
)
def test_right_features_become_rows(sig, features, expected):
    assert rows(sig, features) == expected


@pytest.mark.parametrize(
    ("sig", "features", "loc", "msg"),
    [
        (PAIR, "ab", ("features",), f"features must be {SHAPES}; got the string 'ab'"),
        (PAIR, None, ("features",), f"features must be {SHAPES}; got null"),
        (ONE, "ab", ("features",), f"features must be {SHAPES}{VALUES}; got the string 'ab'"),
        (PAIR, [], ("features",), "features must have at least one row"),
        (PAIR, [[]], ("features", 0), "row 1 has 0 features, expected 2"),
        (PAIR, [1], ("features",), "row 1 has 1 feature, expected 2"),
        (ONE, [[5.1, 4.9]], ("features", 0), "row 1 has 2 features, expected 1"),
        (ONE, [5.1, [4.9]], ("features", 1),
         "row 2, column 'x0': expected a number, got a list of 1"),
        (PAIR, [[1, 2], [3]], ("features", 1), "row 2 has 1 feature, expected 2"),
        (PAIR, [[1, 2], 3], ("features", 1),
         "row 2: expected a list like row 1, got the number 3"),
        (PAIR, [[1, 2], {}], ("features", 1), "row 2: expected a list like row 1, got an object"),
        (PAIR, [{"age": 1, "income": 2}, [1, 2]], ("features", 1),
         "row 2: expected an object like row 1, got a list of 2"),
        (PAIR, [[1, "2"]], ("features", 0, 1),
         "row 1, column 'income': expected a number, got the string '2'"),
        (PAIR, [1, True], ("features", 1),
         "row 1, column 'income': expected a number, got true"),
        (PAIR, [1, [2]], ("features", 1),
         "row 1, column 'income': expected a number, got a list of 1"),
        (PAIR, [1, "x" * 99], ("features", 1),
         "row 1, column 'income': expected a number, got the string '" + "x" * 28 + "…"),
        (PAIR, [[[1, 2]]], ("features", 0), "row 1 has 1 feature, expected 2"),
        (PAIR, [1, None], ("features", 1),
         "row 1, column 'income': a missing value is not allowed here"),
        (PAIR, [1, math.nan], ("features", 1),
         "row 1, column 'income': a missing value is not allowed here"),
        (PAIR, [[0, 0], [-math.inf, 1]], ("features", 1, 0),
         "row 2, column 'age': infinity is not allowed here"),
        (PAIR, [10**400, -(10**400)], ("features", 0),
         "row 1, column 'age': the number is too large for a float"),
        (PAIR, {"age": 1}, ("features", "income"), "row 1: column 'income' is missing"),
        (PAIR, [{"age": 1, "incme": 1, "x": 2}], ("features", 0, "income"),
         "row 1: column 'income' is missing; the model has no column 'incme', 'x'"),
        (PAIR, {"age": 1, "income": "a"}, ("features", "income"),
         "row 1, column 'income': expected a number, got the string 'a'"),
        (ONE, {"x0": 1}, ("features",),
         "the model has no column names, so a row is a list of 1 feature"),
        (MIXED, [1, 2, True, 1], ("features", 1),
         "row 1, column 'city': expected a string, got the number 2"),
        (MIXED, [1, "a", 1, 1], ("features", 2),
         "row 1, column 'member': expected true or false, got the number 1"),
        (MIXED, [1, "a", True, {}], ("features", 3),
         "row 1, column 'free': expected a number, a string or a boolean, got an object"),
    ],
)  # fmt: skip  # one case on a line
def test_wrong_features_say_where_and_why(sig, features, loc, msg):
    assert faults(sig, features)[0] == (loc, msg)


class CountedNames(dict):
    """An object that counts how many of its names are looked at."""

    looked_at = 0

    def __iter__(self):
        for name in super().__iter__():
            self.looked_at += 1
            yield name


def test_faults_are_told_up_to_a_limit():
    strangers = "; the model has no column 'agee', 'incom'"
    assert faults(PAIR, {"agee": 1, "incom": 2}) == [
        (("features", "age"), f"row 1: column 'age' is missing{strangers}"),
        (("features", "income"), f"row 1: column 'income' is missing{strangers}"),
    ]
    assert len(faults(PAIR, [["a", "b"]] * 100)) == diagnosis.MAX_DETAILS
    # Every detail quotes the names, which a body may fill.
    assert len(faults(PAIR, {"x" * 10**6: 1})[0][1]) < 200


def test_faults_of_a_row_with_many_strange_names_are_found_in_a_moment():
    """The names are looked through once, and only until three are found."""
    row = CountedNames.fromkeys(map(str, range(100_000)), 0)
    (_, told), *_ = faults(PAIR, row)
    assert told.endswith("; the model has no column '0', '1', '2'")
    assert row.looked_at == diagnosis.STRANGE_NAMES


def test_invalid_row_is_named_in_the_detail():
    with pytest.raises(InvalidFeatures) as caught:
        rows(PAIR, [[1, 2], [1, 2], [1, "x"]])
    assert caught.value.errors[0].row == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=2),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["age", "city", "member", "free", "income"]), inner)
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from([PAIR, ONE, MIXED]))
def test_features_are_either_rows_or_invalid(features, sig):
    try:
        table = rows(sig, features)
    except InvalidFeatures as error:
        assert 0 < len(error.errors) <= diagnosis.MAX_DETAILS
    else:
        assert {len(row) for row in table} == {len(sig.columns)}
        assert diagnosis.diagnose(sig, table) is None


def test_rows_that_are_plainly_right_are_not_diagnosed(monkeypatch):
    wide = signature(*(Column(f"x{i}") for i in range(20)))
    looked = []
    monkeypatch.setattr(diagnosis, "diagnose", lambda *_: looked.append(1))
    assert rows(wide, [float(i) for i in range(20)]) == [[float(i) for i in range(20)]]
    assert looked == []
    rows(wide, [math.inf, *[0.0] * 19])
    assert looked == [1]  # only what the fast check cannot tell


def test_subclass_of_list_is_invalid():
    class Rows(list): ...

    with pytest.raises(InvalidFeatures, match="a row as a list, rows as a list of lists"):
        rows(PAIR, Rows([1, 2]))
