"""CI collects slow tests only where there are any."""

import pytest

from cli.test import ROOMS_OF_QUICK_TESTS, ROOT


@pytest.mark.parametrize("room", ROOMS_OF_QUICK_TESTS)
def test_rooms_of_quick_tests_have_no_slow_test(room: str) -> None:
    marks = "mark.slow", "mark.exhaustive"
    paths = [path for path in (ROOT / "tests" / room).rglob("*.py") if path.name != "__init__.py"]
    slow = [path.name for path in paths if any(f"pytest.{m}" in path.read_text() for m in marks)]
    assert (bool(paths), slow) == (True, [])
