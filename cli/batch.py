"""`predictq batch`: has a file scored on the server, and looks after the jobs that do so."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import PurePath
from typing import Any
from urllib.parse import quote, urlencode

import click

from cli.asking import as_json as printed
from cli.asking import as_json_option, ask, url_option
from cli.batch_report import conclude, dry_run_text, job_text, jobs_table
from cli.flight import Failure
from cli.following import follow
from predictq import Client, Job, PredictqError
from predictq.wire import read_job

FORMATS = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".parquet": "parquet"}
FORMAT = click.Choice(["csv", "ndjson", "parquet"])


class Batch(click.Group):
    """A group that runs a job where its first word is no command."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        known = {*self.commands, *context.help_option_names}
        return super().parse_args(context, args if not args or args[0] in known else ["run", *args])

    def format_usage(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(context.command_path, "MODEL INPUT OUTPUT [OPTIONS]")
        formatter.write_usage(context.command_path, "COMMAND [ARGS]...")


@click.group(cls=Batch)
def batch() -> None:
    """Have a file scored on the server: CSV, NDJSON or Parquet, of any size.

    `batch run --help` tells the options of MODEL INPUT OUTPUT.
    """


@batch.command()
@click.argument("model")
@click.argument("source", metavar="INPUT")
@click.argument("output", required=False)
@click.option("--method", "methods", multiple=True, help="Of the model; may be repeated.")
@click.option("--id-column", metavar="NAME", help="Carried through to output and errors.")
@click.option("--include-input", is_flag=True, help="The output has the input's columns, too.")
@click.option("--error-threshold", type=click.FloatRange(0), metavar="N", help="Rows that may fail; below 1, a share.")  # fmt: skip  # noqa: E501
@click.option("--input-format", type=FORMAT, help="By the name, without.")
@click.option("--output-format", type=FORMAT, help="By the name, without.")
@click.option("--upload", is_flag=True, help="Send the file, though the server is on this machine.")
@click.option("--dry-run", is_flag=True, help="Look over the input, and score nothing.")
@click.option("--detach", is_flag=True, help="Print the id, and do not wait for the end.")
@url_option
def run(
    model: str,
    source: str,
    output: str | None,
    upload: bool,
    dry_run: bool,
    detach: bool,
    url: str | None,
    **options: Any,
) -> None:
    """Score INPUT with MODEL (name, name@alias or name:version), and write OUTPUT.

    A server on this machine reads and writes the files itself; to one elsewhere the input is
    sent, and the output fetched. Ctrl-C asks whether to cancel or to detach.
    """
    if bool(output) == dry_run:
        raise click.UsageError("A dry run writes no OUTPUT." if output else "Give an OUTPUT.")
    with server(url) as client:
        there = client.is_local and not upload
        options["upload"] = not (there or _is_uri(source))
        if dry_run:
            click.echo(dry_run_text(client.jobs.validate(model, source, **options)))
            return
        fetched = None if there or _is_uri(output or "") else output
        if fetched:
            options["output_format"] = options["output_format"] or _format(fetched)
        job = client.jobs.submit(model, source, output=None if fetched else output, **options)
        if detach:
            click.echo(job.id)
        else:
            _accompany(client, job.id, fetched)


@batch.command("list")
@click.option("--status", help="Those in this status.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@as_json_option
@url_option
def list_(status: str | None, limit: int, as_json: bool, url: str | None) -> None:
    """List batch jobs, the newest first."""
    query = urlencode({"limit": limit} | ({"status": status} if status else {}))
    found = ask(url, "GET", f"predict/batch?{query}")
    click.echo(printed(found) if as_json else jobs_table(map(read_job, found["data"])))


@batch.command()
@click.argument("id")
@click.option("--follow", "following", is_flag=True, help="Wait for its end.")
@as_json_option
@url_option
def status(id: str, following: bool, as_json: bool, url: str | None) -> None:
    """Show how the batch job ID stands."""
    if following:
        with server(url) as client:
            follow(client, id)
    body = ask(url, "GET", f"predict/batch/{quote(id, safe='')}")
    click.echo(printed(body) if as_json else job_text(read_job(body)))


@batch.command()
@click.argument("id")
@click.option("--detach", is_flag=True, help="Do not wait for its end.")
@url_option
def resume(id: str, detach: bool, url: str | None) -> None:
    """Go on with a job that failed, was cancelled or expired, where it stopped."""
    with server(url) as client:
        job = client.jobs.resume(id)
        click.echo(f"job {id} is {job.status}", err=True)
        if not detach:
            _accompany(client, id)


@batch.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@url_option
def cancel(ids: tuple[str, ...], url: str | None) -> None:
    """Cancel jobs: nothing more of them is begun."""
    with server(url) as client:
        for job in map(client.jobs.cancel, ids):
            click.echo(f"job {job.id} is {job.status}")


@batch.command()
@click.argument("id")
@url_option
def errors(id: str, url: str | None) -> None:
    """Print the rows that failed: line, id, code and message, a JSON object each."""
    with server(url) as client:
        for row in client.jobs.errors(id):
            click.echo(json.dumps(asdict(row), ensure_ascii=False))


@batch.command()
@click.argument("id")
@click.argument("output")
@url_option
def fetch(id: str, output: str, url: str | None) -> None:
    """Write the output of a job that completed to the file OUTPUT."""
    with server(url) as client:
        client.jobs.download(id, output)


@contextmanager
def server(url: str | None) -> Iterator[Client]:
    """A client; what goes wrong is a failure, told in a line."""
    try:
        with Client(url) as client:
            yield client
    except BrokenPipeError:  # whoever read us has enough; click ends quietly
        raise
    except (PredictqError, OSError, ValueError) as error:
        raise Failure(str(error)) from error


def _accompany(client: Client, id: str, fetched: str | None = None) -> None:
    """Follow a job to its end, and fetch its output to a file if it has none here."""
    job: Job = follow(client, id)
    if fetched and job.has_output:
        client.jobs.download(id, fetched)
    conclude(client, job, fetched)


def _format(name: str) -> str | None:
    return FORMATS.get(PurePath(name).suffix.lower())


def _is_uri(place: str) -> bool:
    return "://" in place
