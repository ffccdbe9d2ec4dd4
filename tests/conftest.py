"""What all tests share: a clean environment, trained demo models, one live stack."""

import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.stack import LiveStack, running, train_demos, with_models_of


@pytest.fixture(scope="session", autouse=True)
def _clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Neither settings nor stacks of whoever runs the tests must decide what they find."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [n for n in os.environ if n.startswith("PREDICTQ_") or n == "REDIS_URL"]:
            patch.delenv(name)
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_is_heard() -> None:
    """What a shell starts in the background inherits that it is ignored, and so do its children."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that holds the three demo models and nothing else."""
    home = tmp_path_factory.mktemp("demo")
    train_demos(home)
    return home


@pytest.fixture(scope="session")
def stack(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    """The stack that tests share; those that break something start their own."""
    with running(with_models_of(demo_home, tmp_path_factory.mktemp("stack"))) as stack:
        yield stack


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
