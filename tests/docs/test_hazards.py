"""Every hazard has a remedy, and every test that is said to prove it is there."""

import re
from functools import cache

import pytest

from tests.docs.documents import ROOT, table

HAZARDS = table(ROOT / "docs" / "hazards.md", "Hazards")
NAMED = [pytest.param(row[0], name) for row in HAZARDS for name in re.findall(r"\S+::\w+", row[3])]


def test_all_are_there() -> None:
    assert [row[0] for row in HAZARDS] == [str(number) for number in range(1, 26)]
    assert all("::test_" in row[3] for row in HAZARDS)


@cache
def defined_in(path: str) -> set[str]:
    return set(re.findall(r"^def (test_\w+)", (ROOT / "tests" / path).read_text(), re.MULTILINE))


@pytest.mark.parametrize(("hazard", "name"), NAMED)
def test_the_test_is_there(hazard: str, name: str) -> None:
    path, _, function = name.partition("::")
    assert function in defined_in(path), f"hazard {hazard}"
