"""Contents of each image: its own dependencies and packages, and no root user."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from typing import Any

import pytest
from deployment import ROOT

DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
STAGE = re.compile(r"^FROM \S+ AS (\S+)\n(.*?)(?=^FROM |\Z)", re.MULTILINE | re.DOTALL)
STAGES: dict[str, str] = dict(STAGE.findall(DOCKERFILE))


OF_TRACES = {"opentelemetry", "urllib3"}
"""Imported at the first span, which Flower does not make."""


def locked(name: str) -> dict[str, str]:
    """Map packages to versions, as the lock of this name pins them."""
    text = (ROOT / f"requirements/{name}.lock").read_text()
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[.*?\])?==(\S+)", text, re.MULTILINE))


def imports(package: str) -> Iterator[str]:
    """Top-level names of the modules that one of our packages imports."""
    for file in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module.partition(".")[0]


def normalized(distributions: list[str]) -> set[str]:
    """Names of distributions, normalized as in the locks."""
    return {re.sub("[-_.]+", "-", each).lower() for each in distributions}


def test_api_cannot_load_a_model() -> None:
    assert not locked("api").keys() & {"scikit-learn", "numpy", "scipy", "joblib", "skops"}
    assert "COPY workers" not in STAGES["api"]


def test_worker_serves_no_http() -> None:
    assert not locked("worker").keys() & {"flask", "granian"}


@pytest.mark.parametrize("name", ["api", "worker", "flower"])
def test_imports_are_all_installed(name: str) -> None:
    packages = re.findall(r"^COPY (\w+) ", STAGES["runtime"] + STAGES[name], re.MULTILINE)
    # The worker's image needs only the `models` commands; the others are loaded on demand.
    used = {each for package in packages if package != "cli" for each in imports(package)}
    if name == "flower":
        used -= OF_TRACES
    foreign = used - set(sys.stdlib_module_names) - set(packages)
    providers = packages_distributions()
    missing = {each for each in foreign if not locked(name).keys() & normalized(providers[each])}
    assert not missing


@pytest.mark.parametrize("name", ["api", "worker", "flower"])
def test_kombu_s_undeclared_import_is_installed(name: str) -> None:
    assert "packaging" in locked(name)  # kombu.transport.redis


@pytest.mark.parametrize("name", ["api", "worker", "flower"])
def test_images_hold_no_development_tools(name: str) -> None:
    assert not locked(name).keys() & {"pytest", "mypy", "ruff", "pip", "setuptools"}


@pytest.mark.parametrize("name", ["api", "worker", "flower"])
def test_locks_of_images_pin_what_the_local_lock_pins(name: str) -> None:
    assert locked(name).items() <= locked("local").items()


@pytest.mark.parametrize("name", ["api", "worker", "flower"])
def test_health_checks_of_image_and_compose_agree(name: str, compose: dict[str, Any]) -> None:
    check = re.search(r"^HEALTHCHECK CMD \[(.*)\]$", STAGES[name], re.MULTILINE)
    assert check
    words = re.findall(r'"([^"]*)"', check[1])
    assert ["CMD", *words] == compose["services"][name]["healthcheck"]["test"]
    assert (ROOT / "deploy" / words[1]).is_file()


def test_images_do_not_run_as_root() -> None:
    assert "USER 10001:10001" in STAGES["runtime"]
    assert all(f"FROM runtime AS {name}\n" in DOCKERFILE for name in ("api", "worker", "flower"))
    assert "USER" not in STAGES["api"] + STAGES["worker"] + STAGES["flower"]
