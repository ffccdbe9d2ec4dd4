"""Which of the processes of a test run have their coverage measured, if there is any.

Tracing makes every line of every library cost half as much again, in each process that is traced.
So libraries are imported before it starts, and the product's modules before tests are collected,
which is not traced either. Slow tests are not traced, nor what pytest does between
tests, nor how Hypothesis makes examples, nor all of these. Of all processes that tests start, only
those are traced that start while a stack runs that quick tests share, or inside `of_children`; of
pytest-xdist's, those that run tests.
"""

import fcntl
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

from coverage import Coverage

from workers.short_imports import shorten_imports

COVERAGE_OF_CHILDREN = "COVERAGE_PROCESS_CONFIG"
"""Tells coverage.py to measure a process that is started."""
RUNS_TESTS = "PYTEST_XDIST_WORKER" in os.environ
"""Whether this is a process of pytest-xdist that runs tests, not the one that hands them out."""
MEASURED_EXAMPLES = 60
"""How many examples of a property test are measured: later ones seldom reach another line."""
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
PRODUCT = "api", "tasks", "workers", "registry", "telemetry", "stack", "cli", "predictq"
"""The packages whose coverage is measured."""
PROGRAMS = "workers.app", ".__main__"
"""How the names of modules end that run a program, or make their process a worker."""
COLLECTING = open(__file__)  # noqa: SIM115 - locked until the tests are collected
"""What the process that starts first locks while it collects tests; the others wait for it.

On a new clone it compiles each module, and they find it compiled. Side by side, each would compile
all of them.
"""


class Measurement:
    """The measurement of coverage in this process and those that it starts, if there is any."""

    def __init__(self) -> None:
        # A start of `Coverage` would make another tracer, which adds work to the end of a process.
        self._tracer: Any = sys.gettrace() if Coverage.current() else None
        self._of_threads = threading.gettrace()
        # pytest-xdist starts its processes with the variable as well.
        self._of_children = os.environ.get(COVERAGE_OF_CHILDREN)
        self._is_on = True
        self._examples_left = 0

    def switch(self, *, on: bool) -> None:
        """Start or stop it in this thread and in those that are started from now on."""
        if self._tracer is None or on is self._is_on:
            return
        self._is_on = on
        if on:
            threading.settrace(self._of_threads)
            self._tracer.start()
        else:
            threading.settrace(None)
            self._tracer.stop()

    def expect_examples(self) -> None:
        """Measure only the examples of the property test that comes next, and not all of them."""
        self.switch(on=False)
        self._examples_left = MEASURED_EXAMPLES

    def of_examples(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The body of a property test, measured although Hypothesis, which calls it, is not."""
        if self._tracer is None:
            return function

        @wraps(function)
        def measured(*arguments: Any, **named: Any) -> Any:
            self._examples_left -= 1
            self.switch(on=self._examples_left >= 0)
            try:
                return function(*arguments, **named)
            finally:
                self.switch(on=False)

        return measured

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

    def import_modules(self) -> None:
        """Import libraries before it starts, and then the product's modules; stop it again."""
        if RUNS_TESTS and self._tracer is not None:
            self.switch(on=False)
            for library in LIBRARIES:
                import_module(library)
            self.switch(on=True)
            for package in map(import_module, PRODUCT):
                for module in walk_packages(package.__path__, f"{package.__name__}."):
                    if not module.name.endswith(PROGRAMS):
                        import_module(module.name)
            self.switch(on=False)


if RUNS_TESTS:
    try:
        fcntl.flock(COLLECTING, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(COLLECTING, fcntl.LOCK_SH)
shorten_imports()  # before any test or library imports SciPy
MEASUREMENT = Measurement()
MEASUREMENT.import_modules()
