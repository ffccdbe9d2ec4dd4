"""Runs a stack for `up`: starts its stages, asks for a prediction, and keeps all of it running."""

import math
import os
import shutil
from itertools import count
from pathlib import Path
from typing import NoReturn

import click

from cli import ghosts
from registry.store import Registry
from stack.deployed import DeployedWorkers
from stack.programs import Stack
from stack.redis import server as redis_server
from stack.sign_in import sign_in_address
from stack.smoke_test import PROGRESS_TIMEOUT, SmokePrediction, SmokeTest
from stack.supervisor import StartFailed, Supervisor
from tasks.key_files import LOCAL_KEY, read_or_make_local_key
from tasks.settings import Settings


def find_or_start_redis(supervisor: Supervisor, home: Path) -> str:
    """URL of the Redis to use: that of REDIS_URL, else one that is started here.

    Raises `click.ClickException` if it cannot be used, and `StartFailed`.
    """
    if url := os.environ.get("REDIS_URL"):
        warnings = redis_server.require(url)
        click.echo("redis   answers at REDIS_URL")
        for warning in warnings:
            click.echo(f"redis   may lose predictions: {warning}")
        return url
    server = redis_server.prepare_server(home / "redis")
    supervisor.start(server.program())
    if server.warning:
        click.echo(server.warning)
    return server.url


def run_stack(supervisor: Supervisor, stack: Stack, *, demo: bool) -> None:
    """Start a stack and keep it running; raises `StartFailed`, and `Stopped` at its end.

    ``demo``: whether to register the demo models, once for each home.
    """
    stages = stack.stages()
    ghosts.remove_all_ghosts(stack.home, stack.redis_url)
    stack.erase()  # left over if an earlier `up` was killed
    if demo:
        _register_demos(supervisor, stack)
    # Before the processes start, which open their files of counters then.
    _empty(stack.home / "metrics")
    for stage in stages:
        supervisor.start(*stage)
    canary = _release(supervisor, stack)
    # Only now: commands that find `stack.json` take it for a stack that answers.
    try:
        stack.write()
        _announce(stack, canary)
        _keep(supervisor, stack)
    finally:
        stack.erase()


def _keep(supervisor: Supervisor, stack: Stack) -> NoReturn:
    """Supervise the processes, and replace them whenever `restart` asks."""
    workers = DeployedWorkers(supervisor, Registry(stack.home), stack.deployed, click.echo)
    for time in count(1):
        supervisor.watch(workers.tend)
        stayed = supervisor.replace()
        click.echo(f"restart {', '.join(stayed) or 'nothing'} kept their old processes")
        stack.write(time, stayed)
    raise AssertionError


def _register_demos(supervisor: Supervisor, stack: Stack) -> None:
    """Register the demo models once per home, so that a removed demo does not come back."""
    marker = stack.home / "demo.registered"
    if not marker.exists():
        click.echo("demo    training models")
        supervisor.run(stack.demo())
        # Only after success: an interrupted registration is made up for at the next start.
        marker.touch()


def _empty(directory: Path) -> None:
    """Empty a directory of metrics, which are of processes that have ended."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()


def _release(supervisor: Supervisor, stack: Stack) -> SmokeTest | None:
    """Run smoke tests until one succeeds; one bad model must not keep the stack from starting."""
    for canary in (canaries := SmokeTest.flock(stack.home)):
        click.echo(f"canary  asking {canary.model}")
        fault = _run_smoke_test(supervisor, canary, stack)
        if not fault:
            return canary
        click.echo(f"canary  {canary.model} failed: {fault}")
    if canaries:
        click.echo("canary  no model gave a prediction")
    return None


def _run_smoke_test(supervisor: Supervisor, canary: SmokeTest, stack: Stack) -> str:
    """Run one smoke test without a time limit, since there may be a backlog; returns the error.

    Empty on success. Raises `StartFailed` if the workers make no progress.
    """
    key = read_or_make_local_key(stack.home).decode()
    prediction = SmokePrediction(canary, stack.port, click.echo, key)
    try:
        supervisor.until(prediction.poll, within=math.inf)
    except TimeoutError:
        raise StartFailed(
            f"{canary.model} gave no prediction: no progress for {PROGRESS_TIMEOUT:.0f} s"
        ) from None
    return prediction.fault


def _announce(stack: Stack, canary: SmokeTest | None) -> None:
    click.echo(f"ready {stack.url}")
    click.echo(f"console {sign_in_address(stack.home, stack.url, stack.port)}")
    if stack.flower_url:
        click.echo(f"flower {stack.flower_url}")
    click.echo(f"docs {stack.url}/docs")
    if canary:
        needs_key = Settings.from_environment().require_keys
        click.echo(canary.curl(stack.url, stack.home / LOCAL_KEY if needs_key else None))
