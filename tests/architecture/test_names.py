"""One name has one meaning: in the code as in the glossary."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from stack.process import ROOT

PACKAGES = ("api", "workers", "tasks", "registry", "telemetry", "stack", "cli")
SHARED = {
    **dict.fromkeys(("log", "main"), "what every program calls so"),
    **dict.fromkeys(
        ("delete", "list_", "predict", "resume", "show", "status", "strategy"),
        "commands, tasks and hooks are called what their users type or configure",
    ),
    **dict.fromkeys(("Command", "Kind", "Result"), "type variables of one module each"),
    **dict.fromkeys(("Json", "Row"), "the same alias of a built-in type"),
    **dict.fromkeys(("Delimiter", "Limit"), "the type of one parameter, private to its routes"),
    "ROOT": "the guard imports nothing of ours; tests are run from a clone",
    "Column": "a column of the signature, of a version that commands ask for, and of a dialect",
    "FORMATS": "of files; the gate leaves JSON out",
    "INVERSE": "registry and workers may import each other's constants in one direction only",
    "Model": "what routes answer, what lies on disk, and what a job asks",
    "Models": "the answer of a route; the models of a job",
    "Part": "of a job's output; of a table",
    "Pool": "of connections to Redis; of processes",
    "Ready": "the answer of `/ready`; the frame of a process that is ready",
    "Server": "of HTTP; of Redis",
    "Step": "of a job; the frame that asks for one",
    "is_counted": "of a dialect's texts; of a column's dtype",
    "is_number": "of text as dialects guess; of text as CSV is read",
    "open_input": "of a job; of any address",
    "read_body": "of operators; of a submission",
}
"""Names that stand at the top of two modules or more, each with the reason."""
OTHER_MEANINGS = {
    "batch": "a batch job; the batch size",
    "call": "of a function, a script or a model",
    "canary": "a prediction without a model",
    "example": "in the OpenAPI document",
    "job": "a batch job",
    "microbatch": "of messages",
    "place": "the code `place_forbidden`; where a file is moved",
    "response": "of HTTP",
    "retry": "another attempt, load or request",
    "schema": "of an Arrow stream",
    "server": "of HTTP; of Redis",
    "stage": "of the start of a stack",
    "tag": "of a reservation",
}
"""Words of the glossary's column "never called" that public names have in another meaning."""


def definitions(packages: Iterable[str] = PACKAGES) -> Iterator[tuple[Path, str]]:
    """Module and name of all that is public at the top of a module."""
    for package in packages:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.parse(path.read_text()).body:
                yield from ((path, name) for name in _names(node) if not name.startswith("_"))


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [name.id for each in targets if each for name in ast.walk(each) if _is_name(name)]


def _is_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def test_public_names_stand_in_one_module_or_have_a_reason() -> None:
    modules = defaultdict(set)
    for path, name in definitions():
        modules[name].add(path)
    assert {name for name, paths in modules.items() if len(paths) > 1} == set(SHARED)


def test_public_names_avoid_words_that_the_glossary_gave_up() -> None:
    glossary = (ROOT / "docs/glossary.md").read_text()
    column = re.findall(r"^\| [^|]+ \| [^|]+ \| ([^|]*) \|$", glossary, re.MULTILINE)
    given_up = {word.strip() for cell in column for word in cell.split(",")} - {""}
    found = defaultdict(set)
    for path, name in definitions((*PACKAGES, "client")):
        for word in given_up & (_spelt(path.stem) | _spelt(name)):
            found[word].add(f"{path.relative_to(ROOT)}: {name}")
    assert given_up >= OTHER_MEANINGS.keys()
    assert {word: found[word] for word in found.keys() - OTHER_MEANINGS} == {}
    assert OTHER_MEANINGS.keys() - found == set()


def _spelt(name: str) -> set[str]:
    """The words of a name, in lower case, alone and in pairs."""
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]
    return {*words, *map(" ".join, pairwise(words))}


def test_folders_have_a_dozen_modules_at_most() -> None:
    folders = defaultdict(list)
    for package in (*PACKAGES, "benchmarks", "client", "tests"):
        for path in (ROOT / package).rglob("*.py"):
            if path.name not in ("__init__.py", "__main__.py", "conftest.py"):
                folders[path.parent.relative_to(ROOT)].append(path.name)
    assert {folder: len(names) for folder, names in folders.items() if len(names) > 12} == {}
