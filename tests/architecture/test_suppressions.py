"""A check that is switched off for a line, and a test that is skipped, have their reason there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from stack.process import ROOT
from tests.architecture.test_names import PACKAGES

CHECKED = (*PACKAGES, "benchmarks", "client", "deploy", "tests")
SUPPRESSION = re.compile(r"#\s*(noqa|type:\s*ignore|pragma:\s*no cover)(.*)")
SKIPS = ("skip", "skipif", "xfail")


def sources() -> Iterator[tuple[Path, str]]:
    for package in CHECKED:
        for path in (ROOT / package).rglob("*.py"):
            yield path.relative_to(ROOT), path.read_text()


def has_reason(suppression: str) -> bool:
    """Whether a reason follows: ``noqa: CODE - reason``, or ``type: ignore[code]  # reason``."""
    return bool(re.search(r"(: [A-Z0-9, ]+ - |\[[a-z, -]+\] +# )\S", suppression))


def test_suppression_has_a_reason() -> None:
    assert has_reason("noqa: S101 - only what failed leaves a dead letter")
    assert has_reason("type: ignore[misc]  # Celery has no types")
    assert not any(map(has_reason, ("noqa", "noqa: S101", "type: ignore[misc]")))
    bare = [
        f"{path}:{number}: {found[0]}"
        for path, text in sources()
        if path != Path(__file__).relative_to(ROOT)
        for number, line in enumerate(text.splitlines(), 1)
        if (found := SUPPRESSION.search(line)) and not has_reason(found[0])
    ]
    assert not bare


def test_skipped_test_has_a_reason() -> None:
    for path, text in sources():
        if path.parts[0] == "tests" and any(f"mark.{skip}" in text for skip in SKIPS):
            nodes = [*ast.walk(ast.parse(text))]
            calls = [node for node in nodes if isinstance(node, ast.Call)]
            told = [c.func for c in calls if any(k.arg == "reason" for k in c.keywords)]
            assert not [node for node in nodes if is_skip(node) and node not in told], path


def is_skip(node: ast.AST) -> bool:
    """Whether this is ``pytest.mark.skip`` or one like it."""
    match node:
        case ast.Attribute(value=ast.Attribute(attr="mark"), attr=attr):
            return attr in SKIPS
    return False
