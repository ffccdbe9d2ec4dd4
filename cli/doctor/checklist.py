"""The checklist: every check, in the order of the output, for a stack that runs or is stopped."""

import os
import shlex
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

from cli.doctor.address_checks import address_checks
from cli.doctor.alert_checks import alert_checks
from cli.doctor.finding import Finding, finding_of
from cli.doctor.home_checks import home_checks
from cli.doctor.machine_checks import machine_checks
from cli.doctor.model_checks import model_checks
from cli.doctor.prediction_checks import findings_of_predictions
from cli.doctor.redis_checks import finding_of_binary, findings_of_redis
from cli.doctor.stack_checks import findings_of_stack
from stack.running import RunningStack, running_stack

_START = "docs/operations.md#start-and-stop"


def findings_of(home: Path) -> Iterator[Finding]:
    """Yield each finding about the stack of a home as soon as it is there.

    Raises `OSError` or `PredictqError` if the home cannot be read.
    """
    stack = running_stack(home)
    yield from map(finding_of, machine_checks(home, stack.pid if stack else os.getpid()))
    if home.exists():
        yield from map(finding_of, chain(home_checks(home), model_checks(home)))
    yield from _of_redis(stack)
    yield from _of_running(home, stack) if stack else [_stopped(home)]


def _of_redis(stack: RunningStack | None) -> Iterator[Finding]:
    url = stack.redis_url if stack else os.environ.get("REDIS_URL")
    if url:
        yield from findings_of_redis(url)
    else:
        yield finding_of_binary()


def _of_running(home: Path, stack: RunningStack) -> Iterator[Finding]:
    serving = list(findings_of_stack(stack, urlsplit(stack.url).port or 80))
    yield from serving
    yield from map(finding_of, chain(alert_checks(stack), address_checks(stack)))
    if serving[0].level == "pass":
        yield from findings_of_predictions(home, stack.url)


def _stopped(home: Path) -> Finding:
    message = f"none runs on {home}: workers, queue, addresses and predictions were not checked"
    remedy = f"Start it with `predictq up --home {shlex.quote(str(home))}`, and repeat."
    return Finding("stack", "warn", message, remedy, _START)
