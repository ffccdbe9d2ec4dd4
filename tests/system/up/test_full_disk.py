"""On a full disk, writes wait, everything else answers, and nothing is lost."""

from pathlib import Path
from urllib.error import HTTPError

import pytest

from tests.support.small_disk import fill, on_small_disk
from tests.system.up.running_up import TEST_TIMEOUT, Up, eventually, fetch

pytestmark = pytest.mark.slow

ANSWERS = {"health": 200, "metrics": 200, "models": 200, "docs": 200, "ready": 503, "nowhere": 404}


def status(up: Up, route: str) -> int:
    try:
        with fetch(f"http://127.0.0.1:{up.port}/{route}", timeout=5) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def accepted(up: Up) -> list[str]:
    """Submit until it is refused; return the accepted ids."""
    ids: list[str] = []
    while (told := up.ask()).get("code") != "unavailable":
        if "id" in told and "code" not in told:  # otherwise it is uncertain whether it was accepted
            ids.append(told["id"])
    return ids


def died(up: Up) -> set[str]:
    """The programs that `up` restarted."""
    return {line.split()[0] for line in up.lines if " died (" in line}


def test_full_disk_ends_redis_alone_and_the_stack_recovers(tmp_path: Path) -> None:
    (disk := tmp_path / "disk").mkdir()
    within = on_small_disk(disk, 48 * 2**20)
    with Up(disk / "home", "--no-flower", within=within) as up:
        seen = Path(f"/proc/{up.process.pid}/root") / disk.relative_to("/")
        fill(seen / "filler")
        ids = accepted(up)
        eventually(lambda: died(up), TEST_TIMEOUT)
        for _ in range(3):
            # A restarted Redis answers until its next write, and the API is ready meanwhile.
            eventually(
                lambda: {each: status(up, each) for each in ANSWERS} == ANSWERS, TEST_TIMEOUT
            )
        (seen / "filler").unlink()
        eventually(up.answers, TEST_TIMEOUT)
        for name in ids:
            eventually(lambda name=name: up.result(name)["status"] == "succeeded", TEST_TIMEOUT)
        assert died(up) == {"redis"}
        assert "Unexpected exit" not in (seen / "home" / "logs" / "api.log").read_text()
