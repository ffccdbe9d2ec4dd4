"""`predictq predict --file` and `predictq batch` read a file alike, whatever its dialect."""

import csv
import re
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from cli.main import main
from tests.docs.documents import ROOT, Example
from tests.integration.jobs.job_harness import JobHarness
from tests.support.models import GUILTY, register
from tests.support.stack import LiveStack

FRAME = pd.DataFrame({"code": ["01", "02", "1", "x, y"], "size": [1.0, 2.0, 4.0, 8.0]})


@pytest.fixture(scope="session", autouse=True)
def models(live: LiveStack) -> None:
    """Two models with named columns: numbers, and a text and a number."""
    numbers = pd.DataFrame({"a": [1.0, 2.0, 4.0], "b": [0.0, 5.0, 1.0]})
    register(
        live.home, "named", LinearRegression().fit(numbers, 10 * numbers["a"] + numbers["b"]), None
    )
    known = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["code"]),
        (SimpleImputer(strategy="constant", fill_value=100.0), ["size"]),
    )
    coded = make_pipeline(known, LinearRegression()).fit(FRAME, [1.0, 2.0, 3.0, 4.0])
    register(live.home, "coded", coded, [["01", 1.0]])


@pytest.fixture(autouse=True)
def server(live: LiveStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREDICTQ_URL", live.url)


def command(*words: object) -> Result:
    return CliRunner().invoke(main, [*map(str, words)])


def predicted(model: str, source: Path, *options: str) -> tuple[list[str], str]:
    """Run `predict`; return its output and its stderr."""
    ran = command("predict", model, "--file", source, *options)
    assert ran.exit_code in (0, 1), ran.output
    assert bool(ran.exit_code) == ("rows failed" in ran.stderr), ran.output
    return ran.stdout.splitlines(), ran.stderr


def scored(model: str, source: Path, *options: str) -> tuple[list[str], str]:
    """Run `batch`; return its output without the header and its stderr."""
    target = source.with_name("answers.csv")
    ran = command("batch", model, source, target, "--overwrite", *options)
    assert ran.exit_code == 0, ran.output
    with target.open(newline="") as file:
        return [row[-1] for row in [*csv.reader(file)][1:]], ran.stderr


FILES = {
    "plain": ("named", b"a,b\n1,0\n2,5\n4,1\n", (), 3),
    "other columns, another order": ("named", b"id,b,a\nx,0,1\ny,5,2\n", (), 2),
    "no header": ("named", b"1.5,0\n2,5\n", (), 2),
    "no header, no names": ("touchy", b"5.5,1\n7,1\n", (), 2),
    "no header, said": ("touchy", b"0,1\n5,6\n", ("--no-header",), 2),
    "numbers as header": ("touchy", b"0,1\n5,6\n", (), 1),
    "semicolons": ("named", b"a;b\n1;0\n2;5\n", (), 2),
    "semicolons, no header": ("touchy", b"5;1\n7;1\n", (), 2),
    "decimal commas": ("named", b"a;b\n1,5;0\n2;5\n", (), 2),
    "tabs": ("named", b"a\tb\n1\t0\n", (), 1),
    "pipes": ("named", b"a|b\n1|0\n", (), 1),
    "colons, said": ("named", b"a:b\n1:0\n", ("--delimiter", ":"), 1),
    "a mark": ("named", b"\xef\xbb\xbfa,b\n1,0\n", (), 1),
    "a mark, sep=": ("named", b"\xef\xbb\xbfsep=;\r\na;b\r\n1;0\r\n", (), 1),
    "sep=, no header": ("touchy", b"sep=;\n5;1\n", (), 1),
    "quotes": ("named", b'"a","b","note"\n"1","0","x,y"\n2,"5","x\n\ny"\n4,1,"""z"""\n', (), 3),
    "blank lines": ("named", b"\na,b\n\n1,0\n\r\n\n2,5\n\n", (), 2),
    "returns": ("named", b"a,b\r\n1,0\r\n2,5", (), 2),
    "ragged": ("named", b"a,b\n1,0\n2\n4,1,7\n2,5\n", (), 4),
    "no numbers": ("named", b"a,b\n1,0\nx,5\n2,5\n", (), 3),
    "words for nothing": ("named", b"a,b\n1,0\nNA,5\n,1\n2,5\n", (), 4),
    "too much for the model": ("touchy", f"x0,x1\n5,1\n{GUILTY},1\n7,1\n".encode(), (), 3),
    "texts": ("coded", b'code,size\n01,1\n1,2\n"x, y",4\n02,NA\n02,-\n', ("--na", "-"), 5),
    "texts, semicolons": ("coded", b"size;code\n1;01\n2;x, y\n;1\n", (), 3),
    "texts, no header": ("coded", b"01,1\n1,2\nNA,2\n", (), 3),
}


@pytest.mark.parametrize(("model", "content", "options", "rows"), FILES.values(), ids=FILES)
def test_csv_file_means_the_same_to_batch_and_predict(
    harness: JobHarness, model: str, content: bytes, options: tuple[str, ...], rows: int
) -> None:
    source = harness.directory / "rows.csv"
    source.write_bytes(content)
    (by_predict, said), (by_batch, told) = (f(model, source, *options) for f in (predicted, scored))
    numbers = [pytest.approx(float(text)) if text else None for text in by_batch]
    assert [float(text) if text else None for text in by_predict] == numbers
    assert len(by_batch) == rows
    assert any(by_batch)
    failed = r"^ *line (\d+)\b"
    assert re.findall(failed, said, re.MULTILINE) == re.findall(failed, told, re.MULTILINE)
    assert re.findall("ignored: .*", said) == re.findall("ignored: .*", told)


def test_dialect_that_was_read_is_told(harness: JobHarness) -> None:
    source = harness.directory / "rows.csv"
    source.write_text("id;b;a\nx;0;-\ny;5;2\n")
    options = "--na", "-"
    said = "ignored: id\nread as CSV with a header, delimiter ';'; missing: '-'\n"
    assert said in command("batch", "named", source, "--dry-run", *options).stdout
    assert said in scored("named", source, *options)[1]
    assert "ignored: id\n" in predicted("named", source, *options)[1]
    report = harness.jobs.latest(1)[0]
    found = harness.jobs.get(report.id).report
    assert found
    assert (found.delimiter, found.header, found.ignored) == (";", True, ("id",))
    assert found.na is not None
    assert {"-", "NA"} <= set(found.na)


@pytest.mark.parametrize("name", ["answers.xlsx", "answers.txt", "answers.txt.gz"])
def test_output_of_no_format_is_refused_by_the_server(harness: JobHarness, name: str) -> None:
    source, _ = harness.numbers(3)
    request = {
        "model": "touchy",
        "input_uri": str(source),
        "output_uri": str(harness.directory / name),
    }
    answer = harness.stack.http.post("/predict/batch", json=request)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert "name it" in answer.json()["detail"]
    told = {**request, "output_format": "csv"}
    assert harness.stack.http.post("/predict/batch", json=told).status_code == 422, "it is no data"


def test_spreadsheet_is_refused_with_what_to_do(harness: JobHarness) -> None:
    for name, content in (("rows.xlsx", b"PK\x03\x04\0"), ("rows.csv", b"PK\x03\x04\0")):
        (harness.directory / name).write_bytes(content)
        ran = command("batch", "touchy", harness.directory / name, harness.directory / "out.csv")
        assert ran.exit_code
        assert "save it as CSV (UTF-8)" in ran.stderr
    request = {"model": "touchy", "input_uri": str(harness.directory / "rows.xlsx")}
    answer = harness.stack.http.post("/predict/batch", json=request)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_csv_options_fit_only_csv(harness: JobHarness) -> None:
    source, _ = harness.numbers(3)
    ran = command("batch", "touchy", source, harness.directory / "out.csv", "--no-header")
    assert (ran.exit_code, "are for CSV; the input is parquet" in ran.stderr) == (1, True)


def test_options_come_with_an_upload(harness: JobHarness) -> None:
    source = harness.directory / "rows.csv"
    source.write_text("01:?\n1:2\n02:!\n")
    options = "--no-header", "--delimiter", ":", "--na", "?", "--na", "!"
    answers, _ = scored("coded", source, *options)
    assert len(list(filter(None, answers))) == 3
    assert scored("coded", source, "--upload", *options)[0] == answers


def test_csv_rows_of_the_api_page_are_read_by_batch_and_predict(harness: JobHarness) -> None:
    """The page's example is for a model of four columns; another such model stands in for it."""
    (printed,) = (
        example.command.text
        for example in Example.all_in(ROOT / "docs" / "api.md")
        if "rows.csv" in example.command.text and "printf" in example.command.text
    )
    text = re.search(r"printf '(.*)'", printed)
    assert text
    frame = pd.DataFrame([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    register(
        harness.stack.home, "four", LinearRegression().fit(frame.to_numpy(), [1, 2, 3, 4]), None
    )
    source = harness.directory / "rows.csv"
    source.write_text(text[1].replace("\\n", "\n"))
    by_predict, by_batch = predicted("four", source)[0], scored("four", source)[0]
    assert len(by_predict) == len(by_batch) == 2
    assert [*map(float, by_predict)] == pytest.approx([*map(float, by_batch)])
