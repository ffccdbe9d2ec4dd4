"""What all tests share: a clean environment, trained demo models, one live stack."""

import gc
import os
import signal
from collections.abc import Generator, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from threadpoolctl import threadpool_limits

from registry.storage.files import locked
from tests import healing
from tests.measurement import COLLECTING, MEASUREMENT, RUNS_TESTS
from tests.support.models import Constant, register, train_demos, with_models_of
from tests.support.stack import LiveStack, running

SHARED = "stack", "scoring", "live", "bulky", "unruly", "newcomer"
"""Fixtures that are a stack for all tests of a session."""
LONGEST_FIRST = "deploy", "system", "docs", "chaos", "integration", "equality"
WAITING = "chaos", "integration"
"""Rooms whose tests let most of their time pass until something happens."""

# On a busy machine an example may take any time; the timeout of its test is the bound.
settings.register_profile("no deadline", settings(), deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(scope="session", autouse=True)
def _clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hide the settings and running stacks of the developer from the tests."""
    MEASUREMENT.forget_children()
    with pytest.MonkeyPatch.context() as patch:
        ours = "PREDICTQ_", "OTEL_", "REDIS_URL"
        for name in [n for n in os.environ if n.startswith(ours)]:
            patch.delenv(name)
        # Tests that run side by side leave no processor free, and jobs would wait for one.
        patch.setenv("PREDICTQ_BATCH_PRIORITY", "normal")
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        # What uv has fetched is under its hash; the tests of environments need not fetch it again.
        caches = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        patch.setenv("UV_CACHE_DIR", os.environ.get("UV_CACHE_DIR", f"{caches}/uv"))
        # Shared by processes that run side by side: compiling kernels takes seconds.
        patch.setenv("XDG_CACHE_HOME", str(_directory_of_run(tmp_path_factory) / "cache"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Have libraries compute in one thread, as in pool processes.

    Threads that wait for each other spin, which costs a multiple beside other processes.
    """
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session", autouse=True)
def _restore_sigint() -> None:
    """Restore SIGINT, which a background job of a shell inherits as ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that holds the three demo models and nothing else; trained once a run."""
    home = _directory_of_run(tmp_path_factory) / "demo"
    with locked(home.with_suffix(".lock")):
        if not home.exists():
            train_demos(staging := tmp_path_factory.mktemp("demo-staging"))
            staging.rename(home)
    return home


def _directory_of_run(factory: pytest.TempPathFactory) -> Path:
    """A directory that all processes of pytest-xdist share."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def constant_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose model `iris` needs no scikit-learn, which is half of what a start costs.

    It is for tests of processes and connections, to which it is the same what a model computes.
    """
    home = tmp_path_factory.mktemp("constant")
    register(home, "iris", Constant(), [[5.1, 3.5, 1.4, 0.2]])
    return home


class EmptyPage(BaseHTTPRequestHandler):
    """Answers with a page that has nothing."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Write nothing."""


@pytest.fixture(scope="session")
def page_server() -> Iterator[ThreadingHTTPServer]:
    """What a test can serve an empty page with, by 127.0.0.1; such a page may call the stack."""
    with ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage) as server:
        yield server


@pytest.fixture(scope="session")
def stack(
    demo_home: Path, tmp_path_factory: pytest.TempPathFactory, page_server: ThreadingHTTPServer
) -> Iterator[LiveStack]:
    """The stack that tests share. A test that breaks something starts its own."""
    home = with_models_of(demo_home, tmp_path_factory.mktemp("stack"))
    origins = f"https://app.example.com, http://127.0.0.1:{page_server.server_port}"
    with MEASUREMENT.of_children(), running(home, PREDICTQ_CORS_ORIGINS=origins) as stack:
        yield stack


@pytest.fixture
def measured_children() -> Iterator[None]:
    """Measure the coverage of the processes that a test starts."""
    with MEASUREMENT.of_children():
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Measure nothing in the process of pytest-xdist that hands the tests out, nor its threads."""
    config.pluginmanager.register(healing)
    if config.getoption("dist", "no") != "no" and not RUNS_TESTS:
        MEASUREMENT.switch(on=False)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect no garbage while modules are imported, since they stay, and none of them later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()
        MEASUREMENT.switch(on=False)
        COLLECTING.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have one process run all tests that share a stack, and the others module by module."""
    _measure_examples(item for item in items if _is_measured(item))
    groups: dict[str, list[pytest.Item]] = {}
    for item in sorted(items, key=_sort_key):
        group = _shared_stack(item) or item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(group))
        groups.setdefault(group, []).append(item)
    items[:] = chain.from_iterable(_alternate(list(groups.values())))


def _sort_key(item: pytest.Item) -> tuple[int, bool]:
    """Sort key: tests with stacks first, short modules last, so that all processes end together.

    In a room quick tests come first, so that coverage is measured in the stacks that they share.
    """
    room = _room(item)
    rank = LONGEST_FIRST.index(room) if room in LONGEST_FIRST else len(LONGEST_FIRST)
    return rank, not _is_quick(item)


def _is_quick(item: pytest.Item) -> bool:
    return "slow" not in item.keywords


def _is_measured(item: pytest.Item) -> bool:
    return _is_quick(item) and "unmeasured" not in item.keywords


def _measure_examples(items: Iterable[pytest.Item]) -> None:
    """Measure property tests while they run an example, and not while Hypothesis makes one."""
    tests = {id(test): test for item in items if (test := _property_test(item))}
    for test in tests.values():
        test.inner_test = MEASUREMENT.of_examples(test.inner_test)


def _property_test(item: pytest.Item) -> Any:
    """What Hypothesis knows of a property test; None for other tests."""
    return getattr(item.obj, "hypothesis", None)


def _alternate(groups: list[list[pytest.Item]]) -> Iterator[list[pytest.Item]]:
    """Alternate between modules that compute a lot and modules that wait a lot."""
    waiting = [group for group in groups if _room(group[0]) in WAITING]
    others = [group for group in groups if _room(group[0]) not in WAITING]
    for pair in zip_longest(others, waiting):
        yield from filter(None, pair)


def _room(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).parts[0]


def _shared_stack(item: pytest.Item) -> str | None:
    """The fixture that is the stack of a test, if it shares one."""
    assert isinstance(item, pytest.Function)
    fixtures = item._fixtureinfo.name2fixturedefs
    found = (name for name in SHARED if name in fixtures)
    return next((name for name in found if fixtures[name][-1].scope == "session"), None)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def _measured(item: pytest.Item) -> Generator[None, object, object]:
    """Measure the coverage of a test; `_measure_examples` does it in property tests."""
    if _property_test(item):
        MEASUREMENT.expect_examples()
    else:
        MEASUREMENT.switch(on=_is_measured(item))
    try:
        return (yield)
    finally:
        MEASUREMENT.switch(on=False)


pytest_runtest_setup = pytest_runtest_call = _measured


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, object, object]:
    """End a shared stack after the last test that shares it, since idle ones work a little, too."""
    found = yield from _measured(item)
    name = _shared_stack(item)
    if name and nextitem and _shared_stack(nextitem) != name:
        assert isinstance(item, pytest.Function)
        item._fixtureinfo.name2fixturedefs[name][-1].finish(item._request)
    return found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        for live in getattr(item, "funcargs", {}).values():
            if isinstance(live, LiveStack):
                report.sections.append(("the stack's logs", live.logs()))
    return report
