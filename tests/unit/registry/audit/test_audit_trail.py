"""The audit log: a chain that any process may append to, and in which a change is found."""

import logging
import threading
from pathlib import Path

import pytest

from registry.audit import trail as module
from registry.audit.entry import AuditEntry
from registry.audit.trail import AuditTrail, Broken


def entry(caller: str = "ops") -> AuditEntry:
    return AuditEntry(
        time="2026-12-01T00:00:00.000Z",
        caller=caller,
        key="k",
        tenant="default",
        method="PUT",
        path="/models/churn/aliases/production",
        status=200,
        address="127.0.0.1",
        request_id="",
    )


@pytest.fixture
def trail(tmp_path: Path) -> AuditTrail:
    return AuditTrail(tmp_path)


def current(home: Path) -> Path:
    return home / "audit" / "changes" / "current.jsonl"


def change_line(path: Path, number: int, old: bytes, new: bytes) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    assert old in lines[number]
    lines[number] = lines[number].replace(old, new)
    path.write_bytes(b"".join(lines))


def test_audit_trail_numbers_its_lines_and_is_whole(trail: AuditTrail) -> None:
    trail.append(entry("a"), entry("b"))
    trail.append(entry("c"))
    assert [(line.id, line.caller) for line in trail.lines()] == [(1, "a"), (2, "b"), (3, "c")]
    count, last = trail.verify()
    assert count == 3
    trail.append(entry("d"))
    assert [line.before for line in trail.lines()][3] == last
    assert trail.verify(last)[0] == 4


def test_audit_trail_that_is_empty_is_whole(trail: AuditTrail) -> None:
    assert trail.verify() == (0, "")
    assert list(trail.lines()) == []


@pytest.mark.parametrize("number", [0, 1])
def test_audit_trail_shows_a_line_that_was_changed(
    trail: AuditTrail, tmp_path: Path, number: int
) -> None:
    trail.append(*[entry()] * 3)
    change_line(current(tmp_path), number, b'"ops"', b'"spo"')
    with pytest.raises(Broken, match=f"^line {number + 2} does not follow the line before it"):
        trail.verify()


def test_audit_trail_shows_lines_that_were_removed(trail: AuditTrail, tmp_path: Path) -> None:
    trail.append(*[entry()] * 4)
    _, last = trail.verify()
    first, _, *others = current(tmp_path).read_bytes().splitlines(keepends=True)
    current(tmp_path).write_bytes(b"".join([first, *others]))
    with pytest.raises(Broken, match=r"^line 3 does not follow the line before it, 1$"):
        trail.verify()
    current(tmp_path).write_bytes(first)  # the end is missing, which its hash shows
    assert trail.verify()[0] == 1
    with pytest.raises(Broken, match=f"^no line has the hash {last}$"):
        trail.verify(last)


def test_audit_trail_goes_on_after_a_torn_line(
    trail: AuditTrail, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trail.append(entry("a"))
    with current(tmp_path).open("ab") as file:
        file.write(b'{"time":"2026')
    assert [line.caller for line in trail.lines()] == ["a"]
    with caplog.at_level(logging.WARNING):
        trail.append(entry("b"))
    assert "a part of a line" in caplog.text
    assert [line.caller for line in trail.lines()] == ["a", "b"]
    assert trail.verify()[0] == 2


def test_audit_trail_goes_on_after_a_line_that_cannot_be_read(
    trail: AuditTrail, tmp_path: Path
) -> None:
    trail.append(entry("a"))
    change_line(current(tmp_path), 0, b"{", b"")
    trail.append(entry("b"))
    assert [line.caller for line in trail.lines()] == ["b"]
    with pytest.raises(Broken, match=r"^a line cannot be read"):
        trail.verify()


def test_audit_trail_is_bounded_and_its_chain_goes_through_its_files(
    trail: AuditTrail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CLOSED_AT_BYTES", 1000)
    monkeypatch.setattr(module, "MAX_CLOSED_FILES", 2)
    for number in range(40):
        trail.append(entry(str(number)))
    assert len(list((tmp_path / "audit" / "changes").glob("*.jsonl"))) == 3
    kept = [line.id for line in trail.lines()]
    assert kept == list(range(kept[0], 41))
    assert kept[0] > 1
    assert trail.verify()[0] == len(kept)
    current(tmp_path).unlink()  # as after a kill between the rename and the next line
    trail.append(entry())
    assert trail.verify()[0]


def test_audit_trail_takes_entries_of_several_at_once(trail: AuditTrail, tmp_path: Path) -> None:
    def many(caller: str) -> None:
        own = AuditTrail(tmp_path)
        for _ in range(20):
            own.append(entry(caller))

    threads = [threading.Thread(target=many, args=[caller]) for caller in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert trail.verify()[0] == 80
    assert {line.caller for line in trail.lines()} == set("abcd")


def test_audit_trail_of_refusals_displaces_no_change(
    trail: AuditTrail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CLOSED_AT_BYTES", 1000)
    trail.append(entry("a change"))
    refusals = AuditTrail(tmp_path, "refusals")
    for _ in range(10 * module.MAX_CLOSED_FILES):
        refusals.append(entry())
    assert next(refusals.lines()).id > 1
    assert [line.caller for line in trail.lines()] == ["a change"]
