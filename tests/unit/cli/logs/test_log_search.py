"""Logs are searched from their end, by time and by fields, over rotated files."""

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.logs import bisection, entries
from cli.logs.bisection import end_of, start_of
from cli.logs.command import logs
from cli.logs.criteria import Criteria
from cli.logs.entries import LogEntry
from cli.logs.formatting import entry_text
from cli.logs.heads import read_head
from cli.logs.searching import search
from tests.unit.cli.logs.log_samples import BEGIN, line


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    return tmp_path


class CountingFile(io.BytesIO):
    """A file that counts the bytes that are read of it."""

    read_bytes = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        found = super().readline(size)
        self.read_bytes += len(found)
        return found


def events(home: Path, limit: int = 100, **criteria: object) -> list[str]:
    return [e.fields["event"] for e in search(home, Criteria(**criteria), limit)]


def test_a_time_is_found_without_reading_the_log() -> None:
    text = "".join(f"{line(second)}\nprinted\n" for second in range(40_000)).encode()
    file = CountingFile(text)
    start = start_of(file, len(text), BEGIN + 30_000)
    end = end_of(file, len(text), BEGIN + 30_060)
    assert file.read_bytes < 20_000
    kept = text[start:end].decode().splitlines()
    assert line(29_990) in kept
    assert line(30_070) in kept
    assert end - start < 5 * bisection.NEAR_BYTES
    assert kept[0].startswith("{")


@pytest.mark.parametrize("near", [1, 2**16])
@pytest.mark.parametrize("block", [64, 200, 2**20])
def test_entries_are_the_same_whatever_the_blocks(
    home: Path, monkeypatch: pytest.MonkeyPatch, block: int, near: int
) -> None:
    monkeypatch.setattr(entries, "BLOCK_BYTES", block)
    monkeypatch.setattr(bisection, "NEAR_BYTES", near)
    lines = []
    for second in range(60):
        lines.append(line(second, f"event {second}", id=f"id-{second % 7}"))
        lines += [f"printed {second}.{part} {{'a': 1}}" for part in range(second % 4)]
    (home / "logs" / "worker.log.1").write_text("cut off}\n" + "\n".join(lines[:70]) + "\n")
    (home / "logs" / "worker.log").write_text("\n".join(lines[70:]) + "\n")
    found = search(home, Criteria(id="id-3", since=BEGIN + 10, until=BEGIN + 50), 100)
    assert [(e.fields["event"], len(e.more)) for e in found] == [
        (f"event {second}", second % 4) for second in range(10, 51) if second % 7 == 3
    ]
    assert found[2].more == ()  # of second 24
    assert found[3].more == tuple(f"printed 31.{part} {{'a': 1}}" for part in range(3))


def test_logs_of_all_processes_are_one_sequence(home: Path) -> None:
    (home / "logs" / "api.log").write_text(f"[INFO] Listening\n{line(2, 'b')}\n{line(4, 'd')}\n")
    (home / "logs" / "worker.log").write_text(f"{line(1, 'a')}\n{line(3, 'c')}\n")
    assert events(home) == ["a", "b", "c", "d"]
    assert events(home, limit=2) == ["c", "d"]


def test_lines_out_of_order_are_found(home: Path) -> None:
    (home / "logs" / "worker.log").write_text(f"{line(9, 'b')}\n{line(2, 'a')}\n{line(10, 'c')}\n")
    assert set(events(home, since=BEGIN + 5)) == {"b", "c"}


def test_criteria(home: Path) -> None:
    told = [
        line(1, "ours", id="x", model="churn", version=3),
        line(2, "other version", model="churn", version=4, level="error"),
        line(3, "other model", tag="x", model="iris", version=3, level="info"),
        line(4, 'names "x" and "churn" only', level="debug"),
    ]
    (home / "logs" / "worker.log").write_text("\n".join(told) + "\n")
    assert events(home, id="x") == ["ours", "other model"]
    assert events(home, model="churn") == ["ours", "other version"]
    assert events(home, model="churn:3") == ["ours"]
    assert events(home, level="warning") == ["ours", "other version"]
    assert events(home, level="info", model="iris") == ["other model"]


@pytest.mark.parametrize(
    ("text", "level", "event"),
    [
        (b"12:M 30 Nov 2026 18:59:28.463 * Ready", "info", "Ready"),
        (b"12:C 30 Nov 2026 18:59:28.463 # Bye", "warning", "Bye"),
        (b"[E 261130 19:02:34 web:2106] 500 GET /", "error", "500 GET /"),
    ],
)
def test_redis_and_flower_are_read(home: Path, text: bytes, level: str, event: str) -> None:
    head = read_head(text)
    assert head is not None
    assert (head.fields["level"], head.fields["event"]) == (level, event)
    (home / "logs" / "other.log").write_bytes(text + b"\n" + line(1, level="debug").encode())
    assert events(home, level=level) == [event]


@pytest.mark.parametrize(
    "text",
    [
        *(
            b"",
            b"{}",
            b"{'a': 1}",
            b'{"timestamp": 1}',
            b'{"timestamp": "never"}',
            b'{"timestamp": ',
        ),
        *(b"12:M 99 Nov 2026 18:59:28.463 * x", b"[X 261130 19:02:34 web:1] x", b"\xff\x00"),
    ],
)
def test_other_lines_begin_no_entry(text: bytes) -> None:
    assert read_head(text) is None


def test_what_a_terminal_would_obey_is_shown() -> None:
    entry = LogEntry(
        BEGIN, "api.log", {"event": "a\x1b[2Jb\nc", "traceback": "one\ntwo"}, ("d\u202ee",)
    )
    shown = entry_text(entry).splitlines()
    assert "a\\x1b[2Jb\\nc" in shown[0]
    assert shown[1:] == ["    one", "    two", "    d\\u202ee"]


def test_command_prints_text_and_json(home: Path) -> None:
    text = f"{line(1, 'boom', level='error', id='x', traceback='at line 1')}\nprinted\n"
    (home / "logs" / "worker.log").write_text(text)
    run = CliRunner().invoke
    shown = run(logs, ["--home", str(home), "--since", "2026-01-01"]).output
    assert "error   worker   boom  id=x\n    at line 1\n    printed\n" in shown
    (told,) = run(logs, ["--home", str(home), "--json"]).output.splitlines()
    assert json.loads(told)["more"] == ["printed"]
    assert json.loads(told)["log"] == "worker.log"
    assert run(logs, ["--home", str(home), "--since", "1h"]).output == ""


def test_command_refuses(home: Path) -> None:
    run = CliRunner().invoke
    nowhere = run(logs, ["--home", str(home)])
    assert nowhere.exit_code == 1
    assert "there are no logs in" in nowhere.output
    (home / "logs" / "api.log").touch()
    assert "neither a duration" in run(logs, ["--home", str(home), "--since", "soon"]).output
