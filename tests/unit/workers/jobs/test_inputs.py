"""The file that is read is the one that was validated, whenever another replaces it."""

import gzip
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from registry.manifest import Column, Signature
from tasks.jobs.files.file_refs import JobDirectory
from tasks.jobs.job import FileRef, JobRequest
from tasks.settings import Settings
from telemetry.errors import DiskFull, InputChanged
from workers.jobs import inputs
from workers.jobs.inputs import MAX_OPEN_SOURCES, Inputs, find_facts, uncompressed_uri
from workers.jobs.tables.spans import Source, Span

MANIFEST: Any = SimpleNamespace(
    sha256="s", signature=Signature((Column("a"),), True, False, ("predict",))
)


class File:
    """An input, and another file that can replace it."""

    def __init__(self, directory: Path, inputs: Inputs) -> None:
        self.path, self._aside = directory / "in.csv", directory / "aside.csv"
        self.path.write_text("a\n1\n")
        self._aside.write_text("a\n2\n")
        request = JobRequest(
            model="m", version=1, input=FileRef(uri=str(self.path)), output=FileRef(uri="/out")
        )
        self.close_all = inputs.close
        facts = find_facts(request)
        self.source: Callable[[], Source] = lambda: inputs.source(
            directory.name, request, facts, MANIFEST
        )

    def read(self) -> float:
        source = self.source()
        block = source.read(next(source.spans(1)))
        return float(block.features.whole()[0][0])

    def swap(self) -> None:
        between = self.path.with_name("between")
        self.path.rename(between)
        self._aside.rename(self.path)
        between.rename(self._aside)


def settings(home: Path) -> Settings:
    return Settings(home=home, redis_url="redis://none", spare_bytes=0)


@pytest.fixture
def files(tmp_path: Path) -> list[File]:
    """One more file than `Inputs` keeps open."""
    shared, files = Inputs(settings(tmp_path)), []
    for number in range(MAX_OPEN_SOURCES + 1):
        directory = tmp_path / str(number)
        directory.mkdir()
        files.append(File(directory, shared))
    return files


@pytest.fixture
def file(files: list[File]) -> File:
    return files[0]


def test_input_replaced_while_it_is_opened(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(
            inputs, "fingerprint", lambda uri, look=inputs.fingerprint: (look(uri), file.swap())[0]
        )
        with pytest.raises(InputChanged):
            file.read()


def test_input_that_comes_back_is_opened_again(file: File) -> None:
    before = file.source()
    assert file.read() == 1.0
    file.swap()
    with pytest.raises(InputChanged):
        file.read()
    file.swap()
    assert file.read() == 1.0
    assert file.source() is not before


def test_emptied_input_has_changed(file: File) -> None:
    file.path.write_bytes(b"")
    with pytest.raises(InputChanged):
        file.read()


def test_compressed_input_is_unpacked_once_for_each_fingerprint(tmp_path: Path) -> None:
    path, directory = tmp_path / "in.csv.gz", JobDirectory(tmp_path, "j")
    directory.path.mkdir(parents=True)
    request = JobRequest(
        model="m", version=1, input=FileRef(uri=str(path)), output=FileRef(uri="/out")
    )
    inodes = []
    for content in (b"a\n1\n", b"a\n2\n"):
        path.write_bytes(gzip.compress(content))
        facts = find_facts(request)
        for _ in range(2):
            source = Inputs(settings(tmp_path)).source("j", request, facts, MANIFEST)
            assert source.size
            inodes.append(Path(uncompressed_uri(directory, request, facts)).stat().st_ino)
        assert Path(uncompressed_uri(directory, request, facts)).read_bytes() == content
    assert inodes[0] == inodes[1] != inodes[2] == inodes[3]


def test_unpacked_input_is_discarded_and_unpacked_again(
    tmp_path: Path,
) -> None:
    path, directory = tmp_path / "in.csv.gz", JobDirectory(tmp_path, "j")
    directory.path.mkdir(parents=True)
    path.write_bytes(gzip.compress(b"a\n1\n"))
    request = JobRequest(
        model="m", version=1, input=FileRef(uri=str(path)), output=FileRef(uri="/out")
    )
    facts = find_facts(request)
    for _ in range(2):
        source = Inputs(settings(tmp_path)).source("j", request, facts, MANIFEST)
        assert source.read(next(source.spans(1))).rows == 1
        directory.discard_unpacked()
        assert not [*directory.path.iterdir()]


def test_unpacking_beyond_the_quota_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.jobs.files.quota.CACHE_SECONDS", 0.0)
    path, directory = tmp_path / "in.csv.gz", JobDirectory(tmp_path, "j")
    directory.path.mkdir(parents=True)
    path.write_bytes(gzip.compress(b"a\n" + b"1\n" * 2**24))
    request = JobRequest(
        model="m", version=1, input=FileRef(uri=str(path)), output=FileRef(uri="/out")
    )
    bounded = replace(settings(tmp_path), max_job_bytes=2**22)
    with pytest.raises(DiskFull, match="PREDICTQ_MAX_JOB_BYTES"):
        Inputs(bounded).source("j", request, find_facts(request), MANIFEST)
    assert not [*directory.path.iterdir()]


def test_recently_read_inputs_stay_open(files: list[File]) -> None:
    *kept, one_more = files
    opened = [file.source() for file in kept]
    assert [file.source() for file in kept] == opened
    kept[0].source()
    one_more.source()
    assert kept[0].source() is opened[0]
    assert kept[1].source() is not opened[1]
    with pytest.raises(ValueError, match="closed file"):
        opened[1].read(Span(2, 4, 2, 1))


def test_idle_input_is_closed_for_another(
    files: list[File], monkeypatch: pytest.MonkeyPatch
) -> None:
    idle, other = files[:2]
    opened = idle.source()
    monkeypatch.setattr(inputs, "IDLE_SECONDS", -1.0)
    assert idle.source() is opened
    other.source()
    with pytest.raises(ValueError, match="closed file"):
        opened.read(Span(2, 4, 2, 1))
    assert idle.source() is not opened


def test_changed_input_closes_no_other(files: list[File]) -> None:
    changed, other = files[:2]
    opened = other.source()
    changed.swap()
    with pytest.raises(InputChanged):
        changed.source()
    assert other.source() is opened


def test_inputs_are_all_closed_after_a_failure(files: list[File]) -> None:
    opened = [file.source() for file in files[:MAX_OPEN_SOURCES]]
    files[0].close_all()
    for file, source in zip(files, opened, strict=False):
        with pytest.raises(ValueError, match="closed file"):
            source.read(Span(2, 4, 2, 1))
        assert file.source() is not source
