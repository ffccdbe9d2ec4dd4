"""An archive has the same bytes for the same files, and hostile ones are refused."""

import errno
import io
import os
import stat
import warnings
import zipfile

import pytest

from telemetry.errors import ModelUnloadable
from workers.models.formats import archive


def made(*entries, **options):
    target = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(target, "w", **options) as file:
        warnings.simplefilter("ignore")  # of duplicate names
        for name, content, mode in entries:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            file.writestr(entry, content)
    return target.getvalue()


PLAIN = stat.S_IFREG | 0o600


def test_archive_gives_its_files_back_and_the_same_bytes_again():
    files = {"b/c.py": b"2", "a.py": b"1"}
    content = archive.packed(files)
    assert archive.unpacked(content) == files
    assert archive.packed(dict(reversed(files.items()))) == content
    assert archive.names_in(content) == ["a.py", "b/c.py"]
    assert archive.names_in(b"PK") == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (made(("../a", b"", PLAIN)), "leads out of it"),
        (made(("/etc/a", b"", PLAIN)), "leads out of it"),
        (made(("a\\..\\b", b"", PLAIN)), "leads out of it"),
        (made(("a", b"/etc/passwd", stat.S_IFLNK | 0o777)), "has a symbolic link, 'a'"),
        (made(("a", b"1", PLAIN), ("a", b"2", PLAIN)), "two files of one name"),
        (archive.packed({"a": b"1" * 99})[:-40], "its archive is broken"),
        (archive.packed({"a": b"1" * 99}).replace(b"1" * 99, b"2" * 99), "its archive is broken"),
    ],
    ids=["parent", "absolute", "backslash", "link", "twice", "truncated", "damaged"],
)
def test_archive_that_is_hostile_or_broken_is_refused(content, told):
    with pytest.raises(ModelUnloadable, match=told):
        archive.unpacked(content)


def test_archive_of_too_many_bytes_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr(archive, "MOST_BYTES", 2**20)
    bomb = made(("a", bytes(2**21), PLAIN), compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(ModelUnloadable, match="more than 1,048,576 bytes together"):
        archive.unpacked(bomb)


def test_archive_of_a_directory_that_cannot_be_read_is_refused(tmp_path, monkeypatch):
    (tmp_path / "code").mkdir()
    scan = os.scandir

    def refusing(path):
        if os.fspath(path).endswith("code"):
            raise PermissionError(errno.EACCES, "Permission denied", os.fspath(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refusing)  # the mode of a directory does not bind root
    with pytest.raises(ModelUnloadable, match="code cannot be read: Permission denied"):
        archive.files_below(tmp_path, "the package")
