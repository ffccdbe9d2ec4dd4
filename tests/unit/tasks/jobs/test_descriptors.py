"""Files and directories are opened at exactly the path that was resolved, or not at all."""

import os
from pathlib import Path

import pytest

from tasks.jobs.files.descriptors import open_directory, open_regular


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rows.csv").write_text("a\n")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "rows.csv").write_text("secret\n")
    return tmp_path / "data" / "rows.csv"


def test_regular_file_is_opened(path: Path) -> None:
    with open_regular(path) as file:
        assert file.read() == b"a\n"


def test_link_in_place_of_a_file_is_refused(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.parents[1] / "secret" / "rows.csv")
    with pytest.raises(OSError, match=r"symbolic links"):
        open_regular(path)


def test_link_in_place_of_a_directory_is_refused(path: Path) -> None:
    path.parent.rename(path.parents[1] / "away")
    path.parent.symlink_to(path.parents[1] / "secret")
    for opens, given in ((open_regular, path), (open_directory, path.parent)):
        with pytest.raises(OSError, match=r"link"):
            opens(given)


def test_link_that_is_swapped_back_is_noticed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opens = os.open
    secret = path.parents[1] / "secret" / "rows.csv"
    monkeypatch.setattr(os, "open", lambda _, flags: opens(secret, flags))
    with pytest.raises(OSError, match="a symbolic link replaced"):
        open_regular(path)


def test_pipe_is_not_waited_for(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(OSError, match="not a regular file"):
        open_regular(path)


def test_refused_descriptor_is_closed(path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    with pytest.raises(IsADirectoryError):
        open_regular(path.parent)
    assert os.listdir("/proc/self/fd") == before
