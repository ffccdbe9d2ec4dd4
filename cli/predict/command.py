"""`predictq predict`: sends the rows of a file and writes their predictions in the same order."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import click

from cli.batch.dialect_options import dialect_options
from cli.http import url_option
from cli.predict.csv_table import from_cells
from cli.predict.model_inputs import Takes, takes
from cli.predict.output import destination, write
from cli.predict.reading import check_output, read
from cli.predict.rows import Read, Unreadable
from cli.predict.windowed import Failure, predictions
from predictq import Client, PredictqError
from tasks.jobs.files.dialect import Dialect

Asked = Callable[[], Takes | None]


@click.command()
@click.argument("model")
@click.option("--file", "source", metavar="FILE", help="CSV, .json or .ndjson; - is CSV on stdin.")
@click.option("--row", "given", multiple=True, metavar="CELLS", help="A row, e.g. 5.1,3.5,1.4,0.2.")
@click.option("--method", default="predict", show_default=True, help="Of the model.")
@dialect_options
@click.option("--max-queue-seconds", type=float, metavar="S", help="A request may wait so long.")
@click.option("--timeout-seconds", type=float, metavar="S", help="It may compute so long.")
@url_option
@click.option("--output", default="-", metavar="FILE", help="- is stdout.")
@click.option("--json", "as_json", is_flag=True, help="Write each prediction as JSON.")
def predict(
    model: str,
    source: str | None,
    given: tuple[str, ...],
    delimiter: str | None,
    header: bool | None,
    na: tuple[str, ...],
    url: str | None,
    output: str,
    as_json: bool,
    **asked: Any,
) -> None:
    """Predict the rows of a file with MODEL (name, name@alias or name:version).

    A CSV file may start with a header, which names the columns. Writes one line per row, in
    order; that of a row without a prediction is empty, or null with --json. Files are read whole;
    an output file appears once all is answered.
    """
    if bool(source) == bool(given):
        raise click.UsageError("Give either --file or --row.")
    check_output(output)
    said = Dialect(delimiter=delimiter, header=header, na=na)
    with _in_lines(), Client(url) as client:
        needed = partial(takes, client, model)
        found = _of_file(source, needed, said) if source else from_cells(given, needed(), said)
        for note in found.notes:
            click.echo(note, err=True)
        with destination(output) as stream:
            answers = predictions(client, model, found.rows, **asked)
            # A terminal cannot show lines and a progress bar at once.
            lines = list(answers) if stream.isatty() else answers
            bad = write(stream, lines, as_json=as_json)
    for fault in bad:
        click.echo(fault, err=True)
    if bad:
        raise Failure(f"{len(bad):,} of {len(found.rows):,} rows failed")


@contextmanager
def _in_lines() -> Iterator[None]:
    """Tell what goes wrong in lines."""
    try:
        yield
    except BrokenPipeError:  # whoever read us has enough; click ends quietly
        raise
    except (PredictqError, OSError, ValueError) as error:
        raise Failure(str(error)) from error


def _of_file(source: str, needed: Asked, said: Dialect) -> Read:
    try:
        with click.open_file(source, "rb") as stream:
            return read(source, stream.read(), needed, said)
    except OSError as error:
        raise Failure(f"{source}: {error.strerror}") from error
    except Unreadable as error:
        raise Failure(f"{source}: {error}") from error
