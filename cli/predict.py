"""`predictq predict`: sends the rows of a file and writes their predictions in the same order."""

import csv
from collections.abc import Iterable

import click

from cli.asking import url_option
from cli.flight import Failure, predictions
from cli.output import destination, write
from cli.rows import Row, Unreadable, read, values
from predictq import Client, PredictqError


@click.command()
@click.argument("model")
@click.option("--file", "source", metavar="FILE", help="CSV, .json or .ndjson; - is CSV on stdin.")
@click.option("--row", "given", multiple=True, metavar="CELLS", help="A row, e.g. 5.1,3.5,1.4,0.2.")
@click.option("--method", default="predict", show_default=True, help="Of the model.")
@click.option("--max-queue-seconds", type=float, metavar="S", help="A request may wait so long.")
@click.option("--timeout-seconds", type=float, metavar="S", help="It may compute so long.")
@url_option
@click.option("--output", default="-", metavar="FILE", help="- is stdout.")
@click.option("--json", "as_json", is_flag=True, help="Write each prediction as JSON.")
def predict(
    model: str,
    source: str | None,
    given: tuple[str, ...],
    method: str,
    max_queue_seconds: float | None,
    timeout_seconds: float | None,
    url: str | None,
    output: str,
    as_json: bool,
) -> None:
    """Predict the rows of a file with MODEL (name, name@alias or name:version).

    A CSV file may start with a header, which names the columns. Writes one line per row, in
    order. Files are read whole; an output file appears once all is answered.
    """
    if bool(source) == bool(given):
        raise click.UsageError("Give either --file or --row.")
    rows = _rows_of_file(source) if source else _rows_of_options(given)
    try:
        with Client(url) as client, destination(output) as stream:
            answers = predictions(
                *(client, model, method, rows),
                max_queue_seconds=max_queue_seconds,
                timeout_seconds=timeout_seconds,
            )
            # A terminal cannot show lines and a progress bar at once.
            lines = list(answers) if stream.isatty() else answers
            write(stream, lines, as_json=as_json)
    except BrokenPipeError:  # whoever read us has enough; click ends quietly
        raise
    except (PredictqError, OSError, ValueError) as error:
        raise Failure(str(error)) from error


def _rows_of_options(given: Iterable[str]) -> list[Row]:
    rows = enumerate(csv.reader(given), 1)
    return [Row(f"row {number}", values(cells)) for number, cells in rows]


def _rows_of_file(source: str) -> list[Row]:
    try:
        with click.open_file(source, encoding="utf-8-sig") as stream:
            return read(source, stream)  # type: ignore[arg-type]  # click types no streams
    except OSError as error:
        raise Failure(f"{source}: {error.strerror}") from error
    except Unreadable as error:
        raise Failure(f"{source}: {error}") from error
