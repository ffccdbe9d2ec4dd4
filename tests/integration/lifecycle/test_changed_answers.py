"""A worker that answers golden rows otherwise than at registration does not serve the version."""

from pathlib import Path

import pytest

from registry.readiness import GoldenRows
from registry.storage.directory import Directory
from tests.support.models import Doubling, register
from tests.support.stack import running

pytestmark = pytest.mark.slow

ROWS = [[1.0, 0.0], [3.0, 5.0]]
RIGHT, CHANGED = (
    GoldenRows(ROWS, {"predict": [2.0, 6.0]}),
    GoldenRows(ROWS, {"predict": [2.0, 7.0]}),
)


def test_changed_answers_fail_and_say_which(tmp_path: Path) -> None:
    files = Directory(tmp_path / "models")
    for name, golden in (("right", RIGHT), ("changed", CHANGED)):
        register(tmp_path, name, Doubling(), ROWS)
        files.write_golden_rows(name, 1, golden)
    with running(tmp_path, forks=True) as stack:
        assert stack.predict("right", [4.0, 0.0]) == [8.0]
        outcome = stack.outcome(stack.submit("changed", [4.0, 0.0])["id"], 90)
    assert outcome["error"]["code"] == "model_unloadable"
    told = "predict of golden row 2 gives 6.0 here and gave 7.0 when changed:1 was registered"
    assert told in outcome["error"]["message"]
