"""Follows a batch job in a terminal: a progress bar, and a prompt on Ctrl-C."""

import sys
from typing import Self

import click

from predictq import Client, Job

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells use it: on detaching there is no output yet."""


class Bar:
    """A progress bar on standard error, if that is a terminal."""

    def __init__(self) -> None:
        self._bar = click.progressbar(
            length=1,
            label="submitted",
            file=sys.stderr,
            show_eta=False,
            item_show_func=rows_per_second,
            hidden=not sys.stderr.isatty(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.render_finish()

    def show(self, job: Job) -> None:
        """Show the job's progress."""
        self._bar.label = job.status
        self._bar.length = max(1, job.counts.total)
        self._bar.pos = job.counts.done
        self._bar.current_item = job
        self._bar.render_progress()


def follow_job(client: Client, id: str) -> Job:
    """Wait until the job has ended; exits the command if the user detaches."""
    while True:
        try:
            return _ended(client, id)
        except KeyboardInterrupt:
            _decide(client, id)


def rows_per_second(job: Job | None) -> str | None:
    """Rows done, rows per second and time left, as far as known."""
    if job is None or not job.counts.total:
        return None
    parts = [f"{job.counts.done:,} of {job.counts.total:,} rows"]
    if job.counts.failed:
        parts.append(f"{job.counts.failed:,} failed")
    if job.rows_per_second:
        parts.append(f"{job.rows_per_second:,.0f} rows/s")
    if job.eta_seconds is not None and not job.has_ended:
        parts.append(f"{clock(job.eta_seconds)} left")
    return ", ".join(parts)


def clock(seconds: float) -> str:
    """Format seconds as ``1:05``, or from an hour on as ``2:00:00``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _ended(client: Client, id: str) -> Job:
    with Bar() as bar:
        for job in client.jobs.follow(id):
            bar.show(job)
        return job


def _decide(client: Client, id: str) -> None:
    wish = _wish() if sys.stdin.isatty() and sys.stderr.isatty() else "d"
    if wish == "c":
        client.jobs.cancel(id)
    if wish == "d":
        click.echo(
            f"job {id} continues; to follow it: predictq batch status {id} --follow", err=True
        )
        raise click.exceptions.Exit(INTERRUPTED)


def _wish() -> str:
    question = "[c]ancel the job, [d]etach from it, or [g]o on?"
    choice = click.Choice(["c", "d", "g"], case_sensitive=False)
    try:
        wish: str = click.prompt(question, type=choice, default="g", show_choices=False, err=True)
    except click.Abort:  # a second Ctrl-C: detach, which loses no work
        return "d"
    return wish
