"""One name has one meaning: in the code as in the glossary."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TypeGuard

from stack.process import ROOT

PACKAGES = ("api", "webhooks", "workers", "tasks", "registry", "telemetry", "stack", "cli")
SHARED = {
    **dict.fromkeys(("log", "main"), "what every program calls so"),
    **dict.fromkeys(
        ("delete", "list_", "predict", "resume", "show", "status", "strategy"),
        "commands, tasks and hooks are called what their users type or configure",
    ),
    **dict.fromkeys(("Command", "F", "Kind", "Result", "S", "T"), "type variables of one module"),
    **dict.fromkeys(("Json", "Row"), "the same alias of a built-in type"),
    **dict.fromkeys(("Delimiter", "Limit"), "the type of one parameter, private to its routes"),
    **dict.fromkeys(
        ("Done", "Item", "Pause", "Send", "Step"),
        "of the client's flows; frames between processes, pauses of versions, steps of jobs",
    ),
    **dict.fromkeys(("Keys", "Names", "body"), "of one module's signatures, under no other name"),
    "ROOT": "the guard imports nothing of ours; tests are run from a clone",
    "Answer": "of a model; of the server to one line of a bulk request",
    "Column": "a column of the signature, of a version that commands ask for, and of a dialect",
    "FORMATS": "of files; the gate leaves JSON out",
    "Fields": "of a submission; of a job's hash",
    "INVERSE": "registry and workers may import each other's constants in one direction only",
    "MAX_CELLS": "of a console page; of an array that is turned into rows",
    "MAX_PAUSE": "between two loads; between two look-ups",
    "MINUTE": "as a whole number; as Redis's scripts take it",
    "Model": "what routes answer, what lies on disk, and what a job asks",
    "Models": "the answer of a route; the models of a job; the client's routes of the registry",
    "PROBLEMS": "of the OpenAPI document; the client's classes by status",
    "Part": "of a job's output; of a table",
    "Pool": "of connections to Redis; of processes",
    "Prediction": "the message of a prediction; its outcome, as the client returns it",
    "Progress": "of `predict --file`; of a bulk request",
    "Ready": "the answer of `/ready`; the frame of a process that is ready",
    "Rows": "as callers give them; as models take them",
    "STILL_OPEN": "states of predictions; states of jobs",
    "Server": "of HTTP; of Redis",
    "Source": "of rows; of an upload",
    "Table": "in the dtypes of training; as frames give it",
    "count": "of rows; of an argument",
    "download": "as it is sent; as it is received",
    "duration": "for people; in ISO 8601",
    "fields_of": "a form; a job request",
    "is_counted": "of a dialect's texts; of a column's dtype",
    "is_number": "of text as dialects guess; of text as CSV is read",
    "lines": "of a bulk request; of a file",
    "open_input": "of a job; of any address",
    "read_body": "of operators; of a submission",
    "submission": "in the OpenAPI document; of the client",
}
"""Names that stand at the top of two modules or more, each with the reason."""
OF_THE_WIRE = {
    *("ARROW", "Accepted", "CONNECT_TIMEOUT", "Counts", "DEFAULT", "Detail", "Job", "JobError"),
    *("LOOPBACK_HOSTS", "METADATA", "Meaning", "NDJSON", "NotFound", "Outcome", "PRODUCTION"),
    *("Pending", "PredictqError", "Receipt", "Results", "Rollouts", "TooLarge"),
    *("UNAVAILABLE", "Unavailable", "Urls", "column_names", "encode", "is_sparse", "problem"),
    "read_job",
}
"""Names with one meaning that the client repeats, since it may import nothing of ours."""
OTHER_MEANINGS = {
    "batch": "a batch job; the batch size",
    "call": "of a function, a script or a model",
    "canary": "a prediction without a model",
    "example": "in the OpenAPI document; of MLflow",
    "job": "a batch job",
    "microbatch": "of messages",
    "orphan": "a process whose parent has ended, as in POSIX",
    "response": "of HTTP",
    "retry": "another attempt, load or request",
    "schema": "of an Arrow stream or an OpenAPI document",
    "server": "of HTTP; of Redis; the fork server",
    "tag": "of a reservation, an HTTP answer or an OpenAPI operation",
}
"""Words of the glossary's column "never called" that names have in another meaning."""
EXCEPTIONS = {
    **dict.fromkeys(("MoveIntoPlace", "in_order"), "English, not our words"),
    **dict.fromkeys(("FIRST_STAGE_SECONDS", "stage", "stages"), "of the start of a stack"),
    "PlaceForbidden": "the code `place_forbidden`",
    "endings": "of file names",
    "order": "of columns; of a tree's nodes",
    **dict.fromkeys(("batch_roots", "roots"), "the setting `PREDICTQ_BATCH_ROOTS`; of trees"),
    "password": "of Redis's URL, by urllib",
    "topic": "of kombu",
}
"""Names with such a word that have it in no meaning of ours."""
Named = Iterator[tuple[Path, str]]


def definitions(packages: Iterable[str]) -> Named:
    """Module and name of all that is public at the top of a module."""
    for path, tree in _modules(packages):
        yield from ((path, name) for node in tree.body for name in _names(node))


def all_names(packages: Iterable[str]) -> Named:
    """Module and name of all modules, classes, functions, parameters, fields and attributes."""
    for path, tree in _modules(packages):
        yield path, path.stem
        yield from ((path, name) for node in ast.walk(tree) for name in _names(node))


def _modules(packages: Iterable[str]) -> Iterator[tuple[Path, ast.Module]]:
    for package in packages:
        for path in (ROOT / package).rglob("*.py"):
            yield path, ast.parse(path.read_text())


def _names(node: ast.AST) -> list[str]:
    return [name for name in _named(node) if not name.startswith("_")]


def _named(node: ast.AST) -> list[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.arg(arg=name) | ast.Attribute(attr=name, ctx=ast.Store()):
            return [name]
        case ast.Assign(targets=targets):
            return [name.id for each in targets for name in ast.walk(each) if _is_name(name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
    return []


def _is_name(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def test_public_names_stand_in_one_module_or_have_a_reason() -> None:
    modules = defaultdict(set)
    for path, name in definitions((*PACKAGES, "client")):
        modules[name].add(path)
    assert {name for name, paths in modules.items() if len(paths) > 1} == {*SHARED} | OF_THE_WIRE
    for name in OF_THE_WIRE:
        assert {path.is_relative_to(ROOT / "client") for path in modules[name]} == {True, False}


def test_names_avoid_words_that_the_glossary_gave_up() -> None:
    glossary = (ROOT / "docs/glossary.md").read_text()
    column = re.findall(r"^\| [^|]+ \| [^|]+ \| ([^|]*) \|$", glossary, re.MULTILINE)
    given_up = {word.strip() for cell in column for word in cell.split(",")} - {""}
    found = defaultdict(set)
    for path, name in all_names((*PACKAGES, "client")):
        for word in given_up & _spelt(name) - OTHER_MEANINGS.keys():
            found[name].add(f"{word}: {path.relative_to(ROOT)}")
    assert given_up >= OTHER_MEANINGS.keys()
    assert {name: found[name] for name in found.keys() - EXCEPTIONS} == {}
    assert EXCEPTIONS.keys() - found == set()


def test_names_are_read_word_by_word_and_in_the_singular() -> None:
    assert {"place", "queue", "place queue"} <= _spelt("PlacesQueue")
    assert {"status", "class", "batch", "retry"} <= _spelt("status_class_batches_retries")


def _spelt(name: str) -> set[str]:
    """The words of a name, in lower case, as they are and in the singular, and in pairs."""
    found = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    words = [word.lower() for word in found]
    singular = [_singular(word) for word in words]
    return {*words, *singular, *map(" ".join, pairwise(singular))}


def _singular(word: str) -> str:
    for plural, singular in (("ies", "y"), ("ches", "ch"), ("ss", "ss"), ("us", "us"), ("s", "")):
        if word.endswith(plural):
            return word.removesuffix(plural) + singular
    return word


def test_folders_have_a_dozen_modules_at_most() -> None:
    folders = defaultdict(list)
    for package in (*PACKAGES, "benchmarks", "client", "tests"):
        for path in (ROOT / package).rglob("*.py"):
            if path.name not in ("__init__.py", "__main__.py", "conftest.py"):
                folders[path.parent.relative_to(ROOT)].append(path.name)
    assert {folder: len(names) for folder, names in folders.items() if len(names) > 12} == {}
