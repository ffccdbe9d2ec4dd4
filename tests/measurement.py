"""Which of the processes of a test run have their coverage measured, if there is any.

Tracing makes every line of every library cost half as much again, in each process that is traced.
So libraries are imported before it starts, slow tests are not traced, and of all processes that
tests start only those of the stacks that quick tests share.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from coverage import Coverage

COVERAGE_OF_CHILDREN = "COVERAGE_PROCESS_CONFIG"
"""Tells coverage.py to measure a process that is started."""
LIBRARIES = (
    "catboost",
    "celery.app.amqp",
    "flask",
    "hypothesis.extra.numpy",
    "lightgbm",
    "pandas",
    "pyarrow.parquet",
    "sklearn.compose",
    "sklearn.ensemble",
    "xgboost",
)
"""Libraries whose imports take the longest."""


class Measurement:
    """The measurement of coverage in this process and those that it starts, if there is any."""

    def __init__(self) -> None:
        self._coverage = Coverage.current()
        # pytest-xdist starts its processes with the variable as well.
        self._of_children = os.environ.get(COVERAGE_OF_CHILDREN)
        self._is_on = True

    def switch(self, *, on: bool) -> None:
        """Start or stop it, unless that is done: each start adds work to the end of a process."""
        if self._coverage is None or on is self._is_on:
            return
        self._is_on = on
        if on:
            self._coverage.start()
        else:
            self._coverage.stop()

    def forget_children(self) -> None:
        """Measure no process that is started from now on, except in `of_children`."""
        os.environ.pop(COVERAGE_OF_CHILDREN, None)

    @contextmanager
    def of_children(self) -> Iterator[None]:
        """Measure the processes that are started inside the context, until they end."""
        if self._of_children is None:
            yield
            return
        os.environ[COVERAGE_OF_CHILDREN] = self._of_children
        try:
            yield
        finally:
            self.forget_children()

    def import_libraries(self) -> None:
        """Import what tests import anyway, before it is measured."""
        if self._coverage is not None:
            self.switch(on=False)
            for library in LIBRARIES:
                import_module(library)
            self.switch(on=True)


MEASUREMENT = Measurement()
MEASUREMENT.import_libraries()
