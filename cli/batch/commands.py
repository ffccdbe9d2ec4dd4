"""`predictq batch`: submit and manage batch jobs."""

import json
from dataclasses import asdict
from urllib.parse import quote, urlencode

import click

from cli.batch.file_refs import FileName
from cli.batch.following import follow_job
from cli.batch.formatting import job_text, jobs_table, no_output
from cli.batch.run import accompany, run
from cli.http import as_json as printed
from cli.http import as_json_option, ask, server, url_option


class Batch(click.Group):
    """A group that defaults to the command `run` if the first word is not a command."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        known = {*self.commands, *context.help_option_names}
        return super().parse_args(context, args if not args or args[0] in known else ["run", *args])

    def format_usage(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(context.command_path, "MODEL INPUT OUTPUT [OPTIONS]")
        formatter.write_usage(context.command_path, "COMMAND [ARGS]...")


@click.group(cls=Batch)
def batch() -> None:
    """Score a CSV, NDJSON or Parquet file of any size on the server.

    `batch run --help` lists the options of MODEL INPUT OUTPUT.
    """


batch.add_command(run)


@batch.command("list")
@click.option("--status", help="Only jobs in this status.")
@click.option(
    "--limit",
    type=click.IntRange(1, 100),
    default=20,
    show_default=True,
    help="How many jobs to list.",
)
@as_json_option
@url_option
def list_(status: str | None, limit: int, as_json: bool, url: str | None) -> None:
    """List batch jobs, newest first."""
    if as_json:
        query = urlencode({"limit": limit} | ({"status": status} if status else {}))
        click.echo(printed(ask(url, "GET", f"predict/batch?{query}")))
        return
    with server(url) as client:
        click.echo(jobs_table(client.jobs.list(limit, status=status)))


@batch.command()
@click.argument("id")
@click.option("--follow", "following", is_flag=True, help="Wait until the job has ended.")
@as_json_option
@url_option
def status(id: str, following: bool, as_json: bool, url: str | None) -> None:
    """Show the status and progress of the batch job ID."""
    with server(url) as client:
        job = follow_job(client, id) if following else client.jobs.get(id)
    path = f"predict/batch/{quote(id, safe='')}"
    click.echo(printed(ask(url, "GET", path)) if as_json else job_text(job))
    if following and not job.has_output:
        raise no_output(job)


@batch.command()
@click.argument("id")
@click.option("--detach", is_flag=True, help="Do not wait until the job has ended.")
@url_option
def resume(id: str, detach: bool, url: str | None) -> None:
    """Resume a job that failed, was cancelled or expired, where it stopped."""
    with server(url) as client:
        job = client.jobs.resume(id)
        click.echo(f"job {id} is {job.status}", err=True)
        if not detach:
            accompany(client, id)


@batch.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@url_option
def cancel(ids: tuple[str, ...], url: str | None) -> None:
    """Cancel jobs. Chunks that are being computed are finished."""
    with server(url) as client:
        for job in map(client.jobs.cancel, ids):
            click.echo(f"job {job.id} is {job.status}")


@batch.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@url_option
def delete(ids: tuple[str, ...], url: str | None) -> None:
    """Delete jobs that have ended, with the files that the server keeps for them."""
    with server(url) as client:
        for one in ids:
            client.jobs.delete(one)
            click.echo(f"job {one} is deleted")


@batch.command()
@click.argument("id")
@url_option
def errors(id: str, url: str | None) -> None:
    """Print the rows that failed, one JSON object per line: line, id, code and message."""
    with server(url) as client:
        for row in client.jobs.errors(id):
            click.echo(json.dumps(asdict(row), ensure_ascii=False))


@batch.command()
@click.argument("id")
@click.argument("output", type=FileName())
@url_option
def fetch(id: str, output: str, url: str | None) -> None:
    """Download the output of a completed job to the file OUTPUT."""
    with server(url) as client:
        client.jobs.download(id, output)
