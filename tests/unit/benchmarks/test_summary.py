"""The front page shows the latest recorded run."""

from pathlib import Path

from benchmarks.harness.report import HERE, latest
from benchmarks.summary import END, FRONT_PAGE, START, summary, with_summary


def test_front_page_has_the_summary_of_the_latest_run() -> None:
    run = latest(HERE)
    assert run is not None
    shown = FRONT_PAGE.read_text().partition(START)[2].partition(END)[0]
    assert shown.strip() == summary(run).strip()
    assert with_summary(FRONT_PAGE, run) == FRONT_PAGE.read_text()


def test_summary_replaces_only_what_is_between_its_marks(tmp_path: Path) -> None:
    run = latest(HERE)
    assert run is not None
    page = tmp_path / "README.md"
    page.write_text(f"before\n{START}old\n{END}after\n")
    found = with_summary(page, run)
    assert found.startswith(f"before\n{START}")
    assert found.endswith(f"{END}after\n")
    assert "old" not in found
    assert "| **predictq** |" in found
