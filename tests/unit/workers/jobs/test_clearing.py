"""A completed job keeps only its output and errors on disk."""

from pathlib import Path

from tasks.jobs.files.file_refs import JobDirectory
from workers.jobs.finalizing import clear


def test_clearing_keeps_output_and_errors(tmp_path: Path) -> None:
    directory = JobDirectory(tmp_path, "j")
    directory.parts.mkdir(parents=True)
    kept = [directory.output, directory.errors, directory.claims]
    gone = [directory.path / name for name in ("input.csv.gz", "plan-1", "0.journal")]
    unpacked = directory.unpacked("1 2 3")
    for path in [*kept, *gone, unpacked, directory.part("0")]:
        path.write_text("x")
    with unpacked.open("rb") as still_read:
        clear(directory)
        assert still_read.read() == b""  # its blocks are freed at once
    assert sorted(directory.path.iterdir()) == sorted(kept)


def test_target_of_a_link_stays(tmp_path: Path) -> None:
    directory = JobDirectory(tmp_path, "j")
    directory.path.mkdir(parents=True)
    (tmp_path / "precious").write_text("x")
    (directory.path / "input.csv").symlink_to(tmp_path / "precious")
    clear(directory)
    assert (tmp_path / "precious").read_text() == "x"
    assert not [*directory.path.iterdir()]
