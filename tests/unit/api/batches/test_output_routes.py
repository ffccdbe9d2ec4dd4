"""A download holds a slot until it is sent; files and events have separate slots."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from api.batches.output_routes import OutputViews
from telemetry.errors import Busy


class OneJob:
    """A gateway with one job that never changes."""

    def __init__(self, directory: Path) -> None:
        self._parts = [directory / "a", directory / "b"]
        for part in self._parts:
            part.write_bytes(b"{}")

    def errors(self, _: str) -> list[Path]:
        return self._parts

    def follow(self, _: str) -> Iterator[None]:
        yield from ()


class Everyone:
    """Permits the files of every job."""

    def permitted(self, job_id: str) -> Any:
        return SimpleNamespace(id=job_id)


@pytest.fixture
def deliveries(tmp_path: Path) -> Iterator[OutputViews]:
    jobs: Any = OneJob(tmp_path)
    access: Any = Everyone()
    with Flask(__name__).test_request_context():
        yield OutputViews(jobs, access, 1)


@pytest.mark.parametrize(("held", "free"), [("errors", "events"), ("events", "errors")])
def test_downloads_and_events_have_separate_limits(
    deliveries: OutputViews, held: str, free: str
) -> None:
    with ExitStack() as stack:
        stack.enter_context(closing(getattr(deliveries, held)("id")))
        with pytest.raises(Busy):
            getattr(deliveries, held)("id")
        stack.enter_context(closing(getattr(deliveries, free)("id")))
    getattr(deliveries, held)("id").close()
