"""`predictq batch MODEL INPUT OUTPUT`: scores a file as a batch job, and waits for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from cli.batch.dialect_options import dialect_options
from cli.batch.file_refs import FileName, check_fetched, check_names, is_uri
from cli.batch.following import follow_job
from cli.batch.formatting import conclude, dry_run_text
from cli.failure import Failure
from cli.http import server, url_option
from predictq import Client, PredictqError, ProblemError
from tasks.jobs.files.naming import FORMATS, named_format

FORMAT = click.Choice(FORMATS)
RATIO = click.FloatRange(0)
_HINTS = {
    "place_forbidden": "to upload the file and fetch the output, give --upload",
    "output_exists": "to replace it, give --overwrite",
}


@click.command()
@click.argument("model")
@click.argument("source", metavar="INPUT", type=FileName())
@click.argument("output", required=False, type=FileName())
@click.option("--method", "methods", multiple=True, help="Method of the model to call; repeatable.")
@click.option("--id-column", metavar="NAME", help="Column to copy to output and errors.")
@click.option("--include-input", is_flag=True, help="Copy the input's columns to the output.")
@click.option(
    "--error-threshold",
    type=RATIO,
    metavar="N",
    help="Number of rows that may fail, or, below 1, their share.",
)
@click.option("--overwrite", is_flag=True, help="Replace OUTPUT if it exists.")
@click.option("--input-format", type=FORMAT, help="Format of INPUT [default: by the file name].")
@click.option("--output-format", type=FORMAT, help="Format of OUTPUT [default: by the file name].")
@dialect_options
@click.option("--upload", is_flag=True, help="Upload the file even if the server is local.")
@click.option("--dry-run", is_flag=True, help="Validate the input without scoring it.")
@click.option("--detach", is_flag=True, help="Print the job's id and exit.")
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

    A server on this machine reads and writes the files itself; with one elsewhere the input is
    uploaded and the output downloaded. Ctrl-C asks whether to cancel or to detach.
    """
    if bool(output) == dry_run:
        raise click.UsageError("A dry run writes no OUTPUT." if output else "Give an OUTPUT.")
    check_names(source, options["input_format"], output, options["output_format"])
    options["overwrite"] = options["overwrite"] or None
    with server(url) as client:
        there = client.is_local and not upload
        options["upload"] = not (there or is_uri(source))
        if dry_run:
            with _hint(there):
                click.echo(dry_run_text(client.jobs.validate(model, source, **options)))
            return
        fetched = None if there or is_uri(output or "") else output
        if fetched:
            check_fetched(source, fetched, overwrite=options.pop("overwrite") or False)
            options["output_format"] = options["output_format"] or named_format(fetched)[0]
        options["output"] = None if fetched else output
        with _hint(there):
            job = client.jobs.submit(model, source, **options)
        if detach:
            click.echo(job.id)
        else:
            accompany(client, job.id, fetched)


def accompany(client: Client, id: str, fetched: str | None = None) -> None:
    """Follow a job to its end; with ``fetched`` download its output to that file."""
    job = follow_job(client, id)
    if fetched and job.has_output:
        _fetch(client, id, fetched)
    conclude(client, job, fetched)


def _fetch(client: Client, id: str, output: str) -> None:
    try:
        client.jobs.download(id, output)
    except (PredictqError, OSError) as error:
        raise Failure(f"{error} (to try again: predictq batch fetch {id} {output})") from error


@contextmanager
def _hint(there: bool) -> Iterator[None]:
    """Add an option that helps to errors about the server's access to a file."""
    try:
        yield
    except ProblemError as error:
        if there and error.code in _HINTS:
            raise Failure(f"{error} ({_HINTS[error.code]})") from error
        raise
