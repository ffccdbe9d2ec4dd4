"""Findings of the checklist: levels, checks that cannot look, links, and what is printed."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.doctor import command
from cli.doctor.finding import Check, Finding, Observation, finding_of, graded, graded_low, listed
from cli.main import main
from stack.process import ROOT
from tests.docs.documents import table

GOOD = Finding("disk", "pass", "free")
POOR = Finding("inodes", "warn", "1% free", "Remove some.", "docs/operations.md#a-full-disk")
BAD = Finding("queue", "fail", "stands still", "Look.", "docs/operations.md#workers")


def broken() -> Observation:
    raise ConnectionError("no route")


def test_check_that_cannot_look_fails() -> None:
    found = finding_of(Check("redis", "docs/doctor.md", broken))
    assert (found.level, found.message) == ("fail", "could not be checked: no route")
    assert found.see == "docs/doctor.md"


def test_remedy_is_only_of_what_did_not_pass() -> None:
    seen = Observation("pass", "free", "Make space.")
    assert finding_of(Check("disk", "docs/doctor.md", lambda: seen)) == GOOD


@pytest.mark.parametrize(("value", "level"), [(1, "pass"), (2, "warn"), (4, "fail")])
def test_values_are_graded_by_the_bounds_that_they_pass(value: float, level: str) -> None:
    assert graded(value, warn=1, fail=3) == level
    assert graded_low(-value, warn=-1, fail=-3) == level


def test_long_lists_are_shortened() -> None:
    assert listed(["a", "b", "c"], shown=2) == "a, b and 1 more"
    assert listed(["a", "b"], shown=2) == "a, b"


@pytest.mark.parametrize(
    ("found", "code", "last"),
    [
        ([GOOD], 0, "1 pass, 0 warn, 0 fail"),
        ([GOOD, POOR], 1, "1 pass, 1 warn, 0 fail"),
        ([BAD, GOOD, POOR], 2, "1 pass, 1 warn, 1 fail"),
    ],
)
def test_exit_code_is_that_of_the_worst_line(
    found: list[Finding], code: int, last: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "findings_of", lambda home: iter(found))
    told = CliRunner().invoke(main, ["doctor", "--home", str(tmp_path)])
    assert (told.exit_code, told.output.splitlines()[-1]) == (code, last)
    for each in found:
        assert each.message in told.output
        assert each.remedy in told.output
    as_json = CliRunner().invoke(main, ["doctor", "--home", str(tmp_path), "--json"])
    assert as_json.exit_code == code
    assert [each["check"] for each in json.loads(as_json.output)["findings"]] == [
        each.check for each in found
    ]


def test_command_that_can_check_nothing_does_not_say_that_there_are_only_warnings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def forbidden(home: Path) -> None:
        raise PermissionError("not yours")

    monkeypatch.setattr(command, "findings_of", forbidden)
    told = CliRunner().invoke(main, ["doctor", "--home", str(tmp_path)])
    assert (told.exit_code, "not yours" in told.output) == (2, True)
    assert CliRunner().invoke(main, ["doctor", "--url", "http://example.com"]).exit_code == 2


def test_every_link_leads_to_a_heading() -> None:
    sources = [path.read_text() for path in (ROOT / "cli/doctor").glob("*.py")]
    found = {link for source in sources for link in re.findall(r'"(docs/[^"]+)"', source)}
    assert len(found) > 10
    assert [link for link in sorted(found) if not leads_somewhere(link)] == []


def test_document_lists_every_check() -> None:
    sources = "\n".join(path.read_text() for path in (ROOT / "cli/doctor").glob("*.py"))
    names = re.findall(r'(?:Check|Finding)\("([\w ]+)"|"(address of \w+)"', sources)
    listed_there = {
        name
        for row in table(ROOT / "docs/doctor.md", "What is checked")
        for name in row[0].split(", ")
    }
    assert listed_there == {check or address for check, address in names}


def leads_somewhere(link: str) -> bool:
    path, _, anchor = link.partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / path).read_text(), re.MULTILINE)
    return not anchor or anchor in {
        re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings
    }
