"""An output takes a free name, or that of an output of the same job, and no other."""

import os
from pathlib import Path

import pytest

from tasks.jobs.files.descriptors import stamp_of
from telemetry.errors import OutputExists
from workers.jobs.tables.output.claiming import open_claimed, open_replacing


def write(room: Path, content: bytes = b"made") -> None:
    with open_claimed(room / "claims")(room / "out.csv", 0) as file:
        file.write(content)


def test_free_output_name_is_claimed(tmp_path: Path) -> None:
    write(tmp_path)
    assert (tmp_path / "out.csv").read_bytes() == b"made"
    assert {path.name for path in tmp_path.iterdir()} == {"claims", "out.csv"}


def test_existing_output_stays(tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_bytes(b"somebody's")
    with pytest.raises(OutputExists):
        write(tmp_path)
    assert (tmp_path / "out.csv").read_bytes() == b"somebody's"
    assert {path.name for path in tmp_path.iterdir()} == {"claims", "out.csv"}


def test_dangling_link_stays(tmp_path: Path) -> None:
    (tmp_path / "out.csv").symlink_to(tmp_path / "none")
    with pytest.raises(OutputExists):
        write(tmp_path)
    assert (tmp_path / "out.csv").is_symlink()


def test_output_made_at_the_last_moment_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*arguments: object, **options: object) -> None:
        (tmp_path / "out.csv").write_bytes(b"somebody's")
        raise FileExistsError

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(OutputExists):
        write(tmp_path)
    assert (tmp_path / "out.csv").read_bytes() == b"somebody's"


def test_output_of_a_dead_process_is_replaced(tmp_path: Path) -> None:
    write(tmp_path, b"by one that died before it said so")
    write(tmp_path)
    assert (tmp_path / "out.csv").read_bytes() == b"made"


def test_output_is_claimed_without_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    write(tmp_path)
    assert (tmp_path / "out.csv").read_bytes() == b"made"
    assert {path.name for path in tmp_path.iterdir()} == {"claims", "out.csv"}


def test_replacing_notes_every_file(tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_bytes(b"somebody's")
    for content in (b"one", b"another"):
        with open_replacing(tmp_path / "claims")(tmp_path / "out.csv", 0) as file:
            file.write(content)
        stamp = stamp_of((tmp_path / "out.csv").stat())
        assert (tmp_path / "claims").read_text().splitlines()[-1] == stamp
