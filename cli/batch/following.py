"""Follows a batch job at a terminal: a progress bar, and what Ctrl-C means."""

import sys
from typing import Self

import click

from predictq import Client, Job

INTERRUPTED = 130
"""What shells call the end of a command by Ctrl-C; who detaches has no output yet."""


class Bar:
    """Rows done, rows a second and time left, on standard error if that is a terminal."""

    def __init__(self) -> None:
        self._bar = click.progressbar(
            length=1,
            label="submitted",
            file=sys.stderr,
            show_eta=False,
            item_show_func=pace,
            hidden=not sys.stderr.isatty(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.render_finish()

    def show(self, job: Job) -> None:
        """How the job stands now."""
        self._bar.label = job.status
        self._bar.length = max(1, job.counts.total)
        self._bar.pos = job.counts.done
        self._bar.current_item = job
        self._bar.render_progress()


def follow(client: Client, id: str) -> Job:
    """The job once it has ended; ends the command where the user detaches."""
    while True:
        try:
            return _ended(client, id)
        except KeyboardInterrupt:
            _decide(client, id)


def pace(job: Job | None) -> str | None:
    """Rows done, rows a second and time left, as far as they are known."""
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
    """``1:05``, or ``2:00:00`` from an hour on."""
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
        click.echo(f"job {id} goes on; see it by: predictq batch status {id} --follow", err=True)
        raise click.exceptions.Exit(INTERRUPTED)


def _wish() -> str:
    question = "[c]ancel the job, [d]etach from it, or [g]o on?"
    choice = click.Choice(["c", "d", "g"], case_sensitive=False)
    try:
        wish: str = click.prompt(question, type=choice, default="g", show_choices=False, err=True)
    except click.Abort:  # Ctrl-C once more: whatever it means, it is not to lose work
        return "d"
    return wish
