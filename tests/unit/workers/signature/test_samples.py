"""A sample is read from each format as in training code; anything else is refused."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from telemetry.errors import Invalid
from workers.models.signature import sample
from workers.models.signature.sample import of_rows, read_sample

FRAME = pd.DataFrame(
    {
        "n": [1, 2],
        "x": [0.1, 1e-300],
        "t": ["é", "b,\n"],
        "b": [True, False],
        "d": pd.to_datetime(["2026-01-02", "2026-01-03"]),
        "c": pd.Categorical(["u", "v"], categories=["v", "u"]),
    }
)


def test_parquet_keeps_every_dtype(tmp_path: Path) -> None:
    FRAME.to_parquet(tmp_path / "s.PARQUET")
    pd.testing.assert_frame_equal(read_sample(tmp_path / "s.PARQUET"), FRAME)


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_csv_sample_has_the_numbers_of_its_text(tmp_path: Path, mark: str, encoding: str) -> None:
    FRAME.to_csv(tmp_path / "s.csv", index=False, sep=mark, encoding=encoding)
    found = read_sample(tmp_path / "s.csv")
    pd.testing.assert_frame_equal(found[["n", "x", "t", "b"]], FRAME[["n", "x", "t", "b"]])
    assert found["d"].tolist() == ["2026-01-02", "2026-01-03"]


def test_csv_of_one_column(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("text\ngood film\nbad film\n")
    assert read_sample(tmp_path / "s.csv")["text"].tolist() == ["good film", "bad film"]


@pytest.mark.parametrize("name", ["s.json", "s.ndjson", "s.jsonl"])
def test_json_has_objects_or_lists(tmp_path: Path, name: str) -> None:
    separator = "\r\n\n" if name != "s.json" else ","
    brackets = ("\ufeff", "\n") if name != "s.json" else ("[", "]")
    for rows in (['{"a": 1, "b": null}', '{"b": "x", "a": NaN}'], ["[1, null]", '[NaN, "x"]']):
        content = separator.join(rows).join(brackets)
        (tmp_path / name).write_text(content, encoding="utf-8")
        found = read_sample(tmp_path / name)
        assert [*found.columns] in (["a", "b"], [0, 1])
        assert found.isna().to_numpy().tolist() == [[False, True], [True, False]]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([1, 2], [[1, 2]]),
        ([[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        ({"a": 1}, [[1]]),
        ([{"a": 1}, {"a": 2}], [[1], [2]]),
        (["good", "bad"], [["good"], ["bad"]]),
        ([1, "x"], [[1, "x"]]),
        (["x", 1], [["x", 1]]),
    ],
)
def test_rows_may_have_the_shapes_of_a_request(rows: Any, expected: Any) -> None:
    assert of_rows(rows).to_numpy().tolist() == expected


@pytest.mark.parametrize("rows", [[], "x", None, 5, [[1], [1, 2]], [{"a": 1}, [1]], [[1], "a"]])
def test_sample_without_rows_is_refused(rows: Any) -> None:
    with pytest.raises(Invalid, match=r"a row or a list of rows|must all be|lists of one length"):
        of_rows(rows)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("s.txt", b"a\n1\n", "ends in one of .parquet, .csv"),
        ("s.csv", b"", "cannot be read as a sample"),
        ("s.csv", b"a,b\n", "has no rows"),
        ("s.csv", b"a\n\xe9\n", "cannot be read as a sample"),
        ("s.csv", b'a,b\n1,2\n"3\n', "cannot be read as a sample"),
        ("s.json", b"{", "cannot be read as a sample"),
        ("s.json", b"[]", "a sample is a row or a list of rows"),
        ("s.json", b"[" * 100_000, "cannot be read as a sample"),
        ("s.json", b"\xff\xfe[\x001", "cannot be read as a sample"),
        ("s.ndjson", b"\n\n", "a sample is a row or a list of rows"),
        ("s.ndjson", b'{"a": 1}\n{', "cannot be read as a sample"),
        ("s.ndjson", b"\xe9", "cannot be read as a sample"),
        ("s.parquet", b"PAR1", "cannot be read as a sample"),
        ("s.parquet", b"", "cannot be read as a sample"),
        ("missing.csv", None, "cannot be read as a sample.*No such file"),
        ("missing.parquet", None, "cannot be read as a sample.*No such file"),
    ],
)
def test_sample_file_that_is_unusable_is_reported(
    tmp_path: Path, name: str, content: bytes | None, told: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(Invalid, match=told) as caught:
        read_sample(tmp_path / name)
    assert "\n" not in caught.value.message


def test_sample_is_cut_to_its_first_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample, "MAX_SAMPLE_ROWS", 3)
    pd.DataFrame({"a": range(9)}, index=range(9, 18)).to_parquet(tmp_path / "s.parquet")
    found = read_sample(tmp_path / "s.parquet")
    assert found["a"].tolist() == [0, 1, 2]
    assert [*found.index] == [0, 1, 2]
