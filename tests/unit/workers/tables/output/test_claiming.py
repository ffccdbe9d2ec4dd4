"""An output takes a free name, or that of one which the same job has made; nothing else."""

import os
from pathlib import Path

import pytest

from tasks.jobs.files.fingerprints import stamp_of
from telemetry.errors import OutputExists
from workers.jobs.tables.output.claiming import claiming, replacing_by


def write(room: Path, content: bytes = b"made") -> None:
    with claiming(room / "claims")(room / "out.csv", 0) as file:
        file.write(content)


def test_a_free_name_is_taken(tmp_path: Path) -> None:
    write(tmp_path)
    assert (tmp_path / "out.csv").read_bytes() == b"made"
    assert {path.name for path in tmp_path.iterdir()} == {"claims", "out.csv"}


def test_what_lies_there_stays(tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_bytes(b"somebody's")
    with pytest.raises(OutputExists):
        write(tmp_path)
    assert (tmp_path / "out.csv").read_bytes() == b"somebody's"
    assert {path.name for path in tmp_path.iterdir()} == {"claims", "out.csv"}


def test_a_link_that_leads_nowhere_stays(tmp_path: Path) -> None:
    (tmp_path / "out.csv").symlink_to(tmp_path / "none")
    with pytest.raises(OutputExists):
        write(tmp_path)
    assert (tmp_path / "out.csv").is_symlink()


def test_what_comes_at_the_last_moment_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*arguments: object, **options: object) -> None:
        (tmp_path / "out.csv").write_bytes(b"somebody's")
        raise FileExistsError

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(OutputExists):
        write(tmp_path)
    assert (tmp_path / "out.csv").read_bytes() == b"somebody's"


def test_one_who_comes_after_a_dead_one_replaces_its_output(tmp_path: Path) -> None:
    write(tmp_path, b"by one that died before it said so")
    write(tmp_path)
    assert (tmp_path / "out.csv").read_bytes() == b"made"


def test_where_there_are_no_links_the_name_is_taken_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    write(tmp_path)
    assert (tmp_path / "out.csv").read_bytes() == b"made"
    assert {path.name for path in tmp_path.iterdir()} == {"claims", "out.csv"}


def test_what_may_be_replaced_is_and_every_file_is_noted(tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_bytes(b"somebody's")
    for content in (b"one", b"another"):
        with replacing_by(tmp_path / "claims")(tmp_path / "out.csv", 0) as file:
            file.write(content)
        stamp = stamp_of((tmp_path / "out.csv").stat())
        assert (tmp_path / "claims").read_text().splitlines()[-1] == stamp
