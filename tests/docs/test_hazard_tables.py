"""The tables of hazards and of security name existing tests."""

import re
from functools import cache

import pytest

from tests.docs.documents import ROOT, table

TABLES = {
    "hazards.md": table(ROOT / "docs" / "hazards.md", "Hazards"),
    "security.md": table(ROOT / "docs" / "security.md", "What is refused and bounded"),
}
NAMED = [
    pytest.param(name, id=f"{document} {row[0]} {name}")
    for document, rows in TABLES.items()
    for row in rows
    for name in re.findall(r"\S+::\w+", row[3])
]


@pytest.mark.parametrize("document", TABLES)
def test_table_is_complete(document: str) -> None:
    rows = TABLES[document]
    assert [row[0] for row in rows] == [str(number) for number in range(1, len(rows) + 1)]
    assert all("::test_" in row[3] for row in rows)


@cache
def defined_in(path: str) -> set[str]:
    return set(re.findall(r"^def (test_\w+)", (ROOT / "tests" / path).read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", NAMED)
def test_named_test_exists(name: str) -> None:
    path, _, function = name.strip("`").partition("::")
    assert function in defined_in(path)
