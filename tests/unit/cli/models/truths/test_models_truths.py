"""`predictq models label` and `quality`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.models.commands import models
from cli.models.truths import label, quality

SUMS = {"log_loss": None, "calibration": [], "mean_absolute_error": None}
SUMS |= {"root_mean_squared_error": None, "rows": 1200, "accuracy": 0.91666}
FOUND = {"model": "m", "version": 2, "days": [{"day": "2026-11-30"} | SUMS]}
FOUND |= {"total": {"day": None} | SUMS}


class Server:
    """Keeps the labels of each request, and answers with what was counted or found."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.found = FOUND
        self.models = self

    def label(self, labels: dict[str, Any]) -> list[dict[str, Any]]:
        self.requests.append(labels)
        codes = {"old": "", "gone": "prediction_not_found"}
        return [
            {"id": each, "counted": each not in codes, "code": codes.get(each, ""), "detail": "why"}
            for each in labels
        ]

    def quality(self, name: str, version: int, *, days: int) -> dict[str, Any]:
        assert (name, version, days) == ("m", 2, 7)
        return self.found


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server()

    @contextmanager
    def opened(_: str | None) -> Iterator[Server]:
        yield made

    for module in (label, quality):
        monkeypatch.setattr(module, "server", opened)
    return made


def _run(*words: str) -> Result:
    return CliRunner().invoke(models, [*words, "--url", "http://127.0.0.1:1"])


@pytest.mark.parametrize(
    ("text", "value"), [("2", 2), ("yes", "yes"), ("[1, null]", [1, None]), ("true", True)]
)
def test_label_is_json_or_a_text(server: Server, text: str, value: object) -> None:
    told = _run("label", "one", text)
    assert (told.exit_code, told.output) == (0, "counted 1 of 1\n")
    assert server.requests == [{"one": value}]


def test_labels_of_a_file_are_sent_by_the_thousand(server: Server, tmp_path: Path) -> None:
    lines = [f"{n},{n % 2}" for n in range(1500)]
    (tmp_path / "f.csv").write_text(
        "\ufeffid,label\n" + "\n".join([*lines, "old,a text", "gone,1", "no,"])
    )
    told = _run("label", "--file", str(tmp_path / "f.csv"))
    assert told.exit_code == 1
    assert told.stdout == "counted 1,501 of 1,503, 1 were told before\n"
    assert told.stderr == "not counted: gone: why\n"
    assert [len(each) for each in server.requests] == [1000, 503]
    assert server.requests[1] | {"old": "a text", "no": None, "1499": 1} == server.requests[1]


def test_label_that_was_told_before_is_no_error(server: Server) -> None:
    told = _run("label", "old", "2")
    assert (told.exit_code, told.stdout) == (0, "counted 0 of 1, 1 were told before\n")
    assert server.requests == [{"old": 2}]


def test_labels_need_an_id_or_a_file_with_both_columns(server: Server, tmp_path: Path) -> None:
    assert "give ID and LABEL, or --file" in _run("label", "one").stderr
    (tmp_path / "f.csv").write_bytes(b"id;label\n")
    wrong = _run("label", "--file", str(tmp_path / "f.csv"))
    assert "needs the columns id and label, separated by commas" in wrong.stderr
    (tmp_path / "f.csv").write_bytes("id,label\n1,\xe4\n".encode("latin-1"))
    assert "is not UTF-8" in _run("label", "--file", str(tmp_path / "f.csv")).stderr
    assert not server.requests


def test_quality_is_shown_by_day_and_together(server: Server) -> None:
    shown = _run("quality", "m:2", "--days", "7").output
    assert [line.split() for line in shown.splitlines()[1:]] == [
        ["2026-11-30", "1,200", "0.9167", "-", "-", "-"],
        ["together", "1,200", "0.9167", "-", "-", "-"],
    ]
    assert '"accuracy": 0.91666' in _run("quality", "m:2", "--days", "7", "--json").output
    server.found = FOUND | {"days": []}
    assert "no labels of m:2 were sent" in _run("quality", "m:2", "--days", "7").output
    assert "name one version" in _run("quality", "m").stderr
