"""A backup of a running stack, restored to another home, answers every id that it has."""

import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.backups.archive import DATA, NOTE, last_backup
from cli.main import main
from registry.changes import Changes
from registry.store import Registry
from tests.support.models import Doubling, register
from tests.support.stack import LiveStack, running, until

ROW = [1.0, 0.0]


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[LiveStack]:
    home = tmp_path / "first"
    home.mkdir()
    register(home, "doubling", Doubling(), [ROW])
    with running(home, bulk=True, forks=True) as stack:
        yield stack


def command(*arguments: object) -> str:
    told = CliRunner().invoke(main, [*map(str, arguments)])
    assert told.exit_code == 0, told.output
    return told.stdout


def test_restored_backup_answers_every_id(stack: LiveStack, tmp_path: Path) -> None:
    stack.parts.write()
    Changes(Registry(stack.home)).set_alias("doubling", "production", 1)
    answered = [stack.submit("doubling", [n, 0.0])["id"] for n in range(50)]
    outcomes = {each: stack.outcome(each) for each in answered}
    form, files = {"model": "doubling"}, {"file": ("rows.csv", b"x0,x1\n1,0\n7,0\n")}
    job = stack.http.post("/predict/batch", data=form, files=files).json()["id"]
    place = f"/predict/batch/{job}"
    until(lambda: stack.http.get(place).json()["status"] == "completed", "the job")
    output = stack.http.get(f"{place}/output").content
    assert output
    key = {"Idempotency-Key": "once"}
    body = {"model": "doubling", "features": ROW}
    keyed = stack.http.post("/predict/async", json=body, headers=key).json()["id"]
    with stack.frozen_pool():
        waiting = [stack.submit("doubling@production", [n, 0.0])["id"] for n in range(20)]
        file = tmp_path / "backup.tar"
        told = command("backup", file, "--home", stack.home)
    assert f"wrote {file}" in told
    assert file.stat().st_mode & 0o777 == 0o600
    assert [*stack.home.parent.glob(".backup.tar*")] == []
    note = last_backup(stack.home)
    assert note
    assert note.path == str(file)
    after = stack.submit("doubling", ROW)["id"]
    stack.parts.erase()
    stack.end()

    home = tmp_path / "elsewhere"
    assert f"restored {home}" in command("restore", file, "--home", home)
    with running(home, bulk=True, forks=True, PREDICTQ_VISIBILITY_TIMEOUT="2") as again:
        for each, outcome in outcomes.items():
            found = again.outcome(each)
            assert (found["predictions"], found["receipt"]) == (
                outcome["predictions"],
                outcome["receipt"],
            )
        assert [again.outcome(each)["predictions"] for each in waiting] == [
            [2.0 * n] for n in range(20)
        ]
        assert again.http.get(place).json()["status"] == "completed"
        assert again.http.get(f"{place}/output").json()["code"] == "result_gone"
        assert output in [each.read_bytes() for each in home.glob(f"jobs/{job}/*")]
        repeated = again.http.post("/predict/async", json=body, headers=key)
        assert (repeated.status_code, repeated.json()["id"]) == (200, keyed)
        # It came after the backup: it is ours, and there is no record.
        assert again.http.get(f"/predict/result/{after}").json()["code"] == "lost"
        assert Registry(home).aliases("doubling") == {"production": 1}


def test_backup_that_fails_leaves_no_file(stack: LiveStack, tmp_path: Path) -> None:
    stack.parts.write()
    (tmp_path / "closed").write_text("a file, and no directory")
    told = CliRunner().invoke(
        main, ["backup", str(tmp_path / "closed" / "b.tar"), "--home", str(stack.home)]
    )
    assert told.exit_code == 1
    assert "the backup cannot be written" in told.output
    assert last_backup(stack.home) is None
    stack.parts.erase()


def test_restore_refuses_what_is_no_backup(tmp_path: Path) -> None:
    file = tmp_path / "other.tar"
    home = tmp_path / "home"
    for content in (b"no tar", b""):
        file.write_bytes(content)
        told = CliRunner().invoke(main, ["restore", str(file), "--home", str(home)])
        assert (told.exit_code, "is no backup" in told.output) == (1, True)
    evil = tmp_path / "evil.txt"
    evil.write_text("x")
    with tarfile.open(file, "w") as archive:
        archive.add(evil, "../escaped")
        archive.add(evil, DATA)
        archive.add(evil, NOTE)
    told = CliRunner().invoke(main, ["restore", str(file), "--home", str(home)])
    assert (told.exit_code, "is no backup" in told.output) == (1, True)
    assert not (tmp_path / "escaped").exists()
    assert not home.exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_restore_refuses_links_and_special_files(tmp_path: Path, kind: bytes) -> None:
    file, home = tmp_path / "other.tar", tmp_path / "home"
    member = tarfile.TarInfo("models/link")
    member.type, member.linkname = kind, "local.key"
    with tarfile.open(file, "w") as archive:
        for name in ("local.key", DATA, NOTE):
            archive.addfile(tarfile.TarInfo(name))
        archive.addfile(member)
    told = CliRunner().invoke(main, ["restore", str(file), "--home", str(home)])
    assert (told.exit_code, "special file" in told.output) == (1, True)
    assert not home.exists()


def test_restore_refuses_a_home_that_is_used(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    file = tmp_path / "b.tar"
    file.touch()
    told = CliRunner().invoke(main, ["restore", str(file), "--home", str(tmp_path)])
    assert (told.exit_code, "is not empty" in told.output) == (1, True)
