"""Synchronous servers beside predictq: what is required, and what cannot be installed."""

import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from benchmarks.beside import measuring, servers
from benchmarks.beside.environments import NotInstallable, make_environment
from benchmarks.harness import report


def test_faster_rival_counts_in_each_round() -> None:
    rates = {"predictq": 300.0, "FastAPI": 900.0, "LitServe": 100.0, "MLServer": 200.0}
    rounds = [{name: dict.fromkeys((32, 8, 1), rate) for name, rate in rates.items()}]
    part = measuring._part(rounds, {})
    assert [check.ratio for check in part.checks] == [1.5] * 3
    assert [check.holds for check in part.checks] == [True] * 3


def test_server_that_cannot_be_installed_is_named_in_the_table() -> None:
    rounds = [{"predictq": dict.fromkeys((32, 8, 1), 300.0)}]
    part = measuring._part(rounds, {"MLServer": "no such package"})
    assert part.checks == []
    assert "| MLServer | skipped: no such package |" in report._table(part.tables[0])


def test_server_that_cannot_be_installed_is_told(capsys, tmp_path: Path, monkeypatch) -> None:
    def fail(*_: Any) -> Any:
        raise NotInstallable("first line\nno such package")

    class Bench:
        directory, forest, questions = tmp_path, None, None

    monkeypatch.setattr(measuring, "SERVERS", {"MLServer": fail})
    missing: dict[str, str] = {}
    assert list(measuring._servers(Bench(), missing)) == []
    assert missing == {"MLServer": "no such package"}
    assert "SKIPPED MLServer" in capsys.readouterr().err


def test_environment_without_its_installer_is_not_installable(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(NotInstallable):
        make_environment(tmp_path / "env", "fastapi")


def test_row_becomes_a_tensor() -> None:
    body = msgspec.json.decode(servers._tensor(b'{"model": "forest", "features": [[1.5, 2]]}'))
    (tensor,) = body["inputs"]
    assert (tensor["shape"], tensor["data"]) == ([1, 2], [1.5, 2])
