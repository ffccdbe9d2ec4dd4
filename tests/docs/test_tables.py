"""The tables in the documents say what the code says, and every link leads somewhere."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Metric

from api.app import Services, create_flask
from api.bulk.results import RESULTS
from api.console.views.sign_in import CODES_ROUTE
from api.events.following import EVENTS_PATH
from api.http.problems import STATUS, status_of
from cli.up.command import up
from tasks.ledger import keys
from tasks.settings import Settings
from telemetry.errors import (
    AnswersDiffer,
    Cancelled,
    Expired,
    JobFailed,
    ModelError,
    ModelUnloadable,
    OutcomeTooLarge,
    OutOfMemory,
    PredictqError,
    RegistryUnavailable,
    TimedOut,
    WorkerLost,
)
from telemetry.metrics import HTTP_REQUESTS, HTTP_SECONDS, LOST, ledger_metrics
from tests.docs.conftest import Newcomer
from tests.docs.documents import DOCUMENTS, ROOT, folders_of_tree, links, paths, table

API = ROOT / "docs" / "api.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
OPERATIONS = ROOT / "docs" / "operations.md"
ROOMS = ("api", "tasks", "workers", "registry", "telemetry", "stack", "cli", "client/predictq")
BY_FLASK = {"HEAD", "OPTIONS"}
Kind = type[PredictqError]
ENDINGS = (
    *(ModelError, ModelUnloadable, RegistryUnavailable, WorkerLost, OutOfMemory),
    *(OutcomeTooLarge, TimedOut, Expired, Cancelled),
)
"""What predictions end with."""


def errors(kind: Kind = PredictqError) -> Iterator[Kind]:
    yield kind
    for child in kind.__subclasses__():
        yield from errors(child)


def is_answered(kind: Kind) -> bool:
    """Whether an error is answered as a problem; the others end a prediction or a command."""
    named = next(ancestor for ancestor in kind.__mro__ if ancestor in STATUS)
    return not issubclass(kind, ENDINGS) and (named is not PredictqError or kind is PredictqError)


def yes_or_no(value: bool) -> str:
    return "yes" if value else "no"


def test_problems() -> None:
    assert {tuple(row[:3]) for row in table(API, "Problems")} == {
        (kind.code, str(int(status_of(kind()))), yes_or_no(kind.retryable))
        for kind in errors()
        if is_answered(kind)
    }


def test_errors_of_predictions() -> None:
    rows = {tuple(row[:4]) for row in table(API, "Errors of a failed prediction")}
    endings = [kind for kind in errors() if issubclass(kind, ENDINGS)]
    assert rows == {
        (kind.code, str(int(status_of(kind))), yes_or_no(kind.retryable), yes_or_no(kind.retried))
        for kind in [*endings, PredictqError]
    }


def test_errors_are_all_described() -> None:
    """An error that is neither a problem nor ends a prediction belongs to a job or a command."""
    others = {kind for kind in errors() if not is_answered(kind) and not issubclass(kind, ENDINGS)}
    assert others == {AnswersDiffer, *errors(JobFailed)}


def test_errors_of_jobs() -> None:
    described = {row[0] for row in table(API, "Errors of a failed batch job")}
    assert described == {kind.code for kind in errors(JobFailed)}


def test_endpoints(tmp_path: Path) -> None:
    app = create_flask(Services(Settings(home=tmp_path, redis_url="redis://127.0.0.1:1/0")))
    served = {
        (method, re.sub(r"<(?:\w+:)?(?:task_)?(\w+)>", r"<\1>", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - BY_FLASK
        if not rule.rule.startswith(("/static", "/console")) or rule.rule == CODES_ROUTE
    }
    on_the_loop = {("POST", RESULTS), ("GET", EVENTS_PATH)}
    assert {tuple(row[0].split()) for row in table(API, "Endpoints")} == served | on_the_loop


def test_environment() -> None:
    described = {row[0]: row[1] for row in table(OPERATIONS, "Environment")}
    defaults = {field: value for field, value in _defaults() if isinstance(value, int)}
    shown = {f: int(described[f"PREDICTQ_{f.upper()}"].replace(",", "")) for f in defaults}
    assert shown == defaults
    options = {parameter.envvar for parameter in up.params if parameter.envvar}
    assert options | {"PREDICTQ_HOME", "REDIS_URL"} <= described.keys()
    named = set().union(*(_named_in(path) for path in _sources()))
    settings = {f"PREDICTQ_{field.upper()}" for field in Settings.__struct_fields__}
    assert described.keys() - settings <= named
    assert named <= described.keys()


def _defaults() -> Iterator[tuple[str, Any]]:
    defaults = Settings.__struct_defaults__
    yield from zip(Settings.__struct_fields__[-len(defaults) :], defaults, strict=True)


def _sources() -> Iterator[Path]:
    yield ROOT / "celeryconfig.py"
    for room in ROOMS:
        yield from (ROOT / room).rglob("*.py")


def _named_in(source: Path) -> set[str]:
    return set(re.findall(r"\b(?:PREDICTQ(?:_[A-Z]+)+|REDIS_URL)\b", source.read_text()))


def test_options_of_up() -> None:
    described = {row[0].split()[0]: row[1] for row in table(OPERATIONS, "Start and stop")}
    assert described == {parameter.opts[0]: parameter.envvar or "-" for parameter in up.params}


def test_metrics() -> None:
    counted = (HTTP_REQUESTS, HTTP_SECONDS, LOST)
    known = [_described(metric, m._labelnames) for m in counted for metric in m.describe()]
    known += [_described(metric, metric._labelnames) for metric in ledger_metrics()]
    assert [tuple(row) for row in table(OPERATIONS, "Metrics")] == known


def _described(metric: Metric, labels: tuple[str, ...]) -> tuple[str, str, str, str]:
    name = metric.name + ("_total" if metric.type == "counter" else "")
    return name, metric.type, ", ".join(labels) or "-", metric.documentation


def test_keys() -> None:
    layout = [value for name, value in vars(keys).items() if name.isupper()]
    described = [row[0].partition("<")[0] for row in table(ARCHITECTURE, "What lies in Redis")]
    assert set(described) == {*layout, "predict", "bulk"}


def test_files_at_home(newcomer: Newcomer) -> None:
    described = {row[0].strip("/") for row in table(OPERATIONS, "What lies in the home")}
    found = {path.name for path in (newcomer.home / ".predictq").iterdir()}
    # Made by the first batch job, the first upload, and the first version with requirements.
    assert found | {"jobs", "registrations", "environments"} == described


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_of_a_document(document: Path) -> None:
    assert [link for link in links(document) if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_paths_of_a_document(document: Path) -> None:
    assert [path for path in paths(document) if not (ROOT / path).exists()] == []


def test_layers_of_the_packages_are_those_that_are_checked() -> None:
    """The modules and rooms of each column, and of the lines of import-linter, are the same."""
    text = ARCHITECTURE.read_text()
    start = text.index("Inside a package, rooms and modules form layers")
    words = set(re.findall(r"[a-z_.]+", text[start:].split("```")[1]))
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    checked = [each for each in contracts["contracts"] if each.get("exhaustive")]
    containers = {name for each in checked for name in each["containers"]}
    modules = {name for each in checked for line in each["layers"] for name in line.split(" | ")}
    assert words - {"text"} == containers | modules


def test_tree_of_folders() -> None:
    """It has every package, except the packages of tests."""
    shown = folders_of_tree(ARCHITECTURE, "Rooms")
    assert [folder for folder in shown if not (ROOT / folder).is_dir()] == []
    rooms = {folder for folder in shown if "/" not in folder} - {"tests"}
    initial = {path.parent for room in rooms for path in (ROOT / room).rglob("__init__.py")}
    assert {str(folder.relative_to(ROOT)) for folder in initial} - {*shown, "client"} == set()
