"""`predictq predict`: predicts the rows of a file, and writes the predictions in their order."""

from collections.abc import Callable
from functools import partial
from typing import Any

import click

from cli.batch.dialect_options import dialect_options
from cli.failure import Failure
from cli.http import server, url_option
from cli.predict.csv_table import from_cells
from cli.predict.model_inputs import VersionInputs, inputs_of
from cli.predict.output import destination, write_predictions
from cli.predict.reading import check_output, read_rows
from cli.predict.rows import FileRows, Unreadable
from cli.predict.windowed import predictions
from tasks.jobs.files.decimal_comma import DecimalMark
from tasks.jobs.files.dialect import Dialect

FetchInputs = Callable[[], VersionInputs | None]


@click.command()
@click.argument("model")
@click.option(
    "--file", "source", metavar="FILE", help="CSV, .json or .ndjson file; - is CSV on stdin."
)
@click.option("--row", "given", multiple=True, metavar="CELLS", help="A row, e.g. 5.1,3.5,1.4,0.2.")
@click.option("--method", default="predict", show_default=True, help="Method of the model.")
@dialect_options
@click.option(
    "--max-queue-seconds",
    type=float,
    metavar="S",
    help="Seconds that a request may wait in the queue.",
)
@click.option(
    "--timeout-seconds", type=float, metavar="S", help="Seconds that computing a request may take."
)
@click.option(
    "--sticky",
    metavar="KEY",
    help="Key for an alias that is split: equal keys get the same version.",
)
@click.option(
    "--priority",
    type=click.Choice(["high", "normal", "low"]),
    help="Before or behind other predictions of yours.",
)
@url_option
@click.option("--output", default="-", metavar="FILE", help="File to write; - is stdout.")
@click.option("--json", "as_json", is_flag=True, help="Write each prediction as JSON.")
def predict(
    model: str,
    source: str | None,
    given: tuple[str, ...],
    delimiter: str | None,
    header: bool | None,
    decimal: DecimalMark | None,
    na: tuple[str, ...],
    url: str | None,
    output: str,
    as_json: bool,
    **asked: Any,
) -> None:
    """Predict the rows of a file with MODEL (name, name@alias or name:version).

    A CSV file may start with a header of column names. Writes one line per row, in order; for a
    row without a prediction the line is empty, or null with --json. The file is read into memory;
    an output file appears once all rows are predicted.
    """
    if bool(source) == bool(given):
        raise click.UsageError("Give either --file or --row.")
    check_output(output)
    said = Dialect(delimiter=delimiter, header=header, decimal=decimal, na=na)
    with server(url) as client:
        needed = partial(inputs_of, client, model)
        found = _of_file(source, needed, said) if source else from_cells(given, needed(), said)
        for note in found.notes:
            click.echo(note, err=True)
        with destination(output) as stream:
            answers = predictions(client, model, found.rows, **asked)
            # A terminal cannot show lines and a progress bar at the same time.
            lines = list(answers) if stream.isatty() else answers
            bad = write_predictions(stream, lines, as_json=as_json)
    for fault in bad:
        click.echo(fault, err=True)
    if bad:
        raise Failure(f"{len(bad):,} of {len(found.rows):,} rows failed")


def _of_file(source: str, needed: FetchInputs, said: Dialect) -> FileRows:
    try:
        with click.open_file(source, "rb") as stream:
            return read_rows(source, stream.read(), needed, said)
    except OSError as error:
        raise Failure(f"{source}: {error.strerror}") from error
    except Unreadable as error:
        raise Failure(f"{source}: {error}") from error
