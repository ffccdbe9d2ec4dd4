"""Writes predictions, one per line, to a file that is complete or absent."""

import csv
import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from cli.predict.windowed import Fault


@contextmanager
def destination(name: str) -> Iterator[TextIO]:
    """Open ``name`` for writing; ``-`` is standard output."""
    path = Path(name).resolve()
    if name == "-":
        yield sys.stdout
    elif path.is_file() or not path.exists():
        with _whole(path) as stream:
            yield stream
    else:  # a device or pipe, which must not be replaced by a file
        with path.open("w", encoding="utf-8") as stream:
            yield stream


def write_predictions(stream: TextIO, predictions: Iterable[Any], *, as_json: bool) -> list[Fault]:
    """Write one line per prediction, as CSV or JSON; returns the faults, whose lines are empty."""
    table = csv.writer(stream, lineterminator="\n")
    bad = []
    for prediction in predictions:
        if isinstance(prediction, Fault):
            bad.append(prediction)
            stream.write("null\n" if as_json else "\n")
        elif as_json:
            stream.write(json.dumps(prediction, ensure_ascii=False) + "\n")
        else:
            cells = prediction if isinstance(prediction, list) else [prediction]
            table.writerow([_cell(cell) for cell in cells])
    return bad


@contextmanager
def _whole(path: Path) -> Iterator[TextIO]:
    growing = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with growing.open("x", encoding="utf-8") as stream:
            yield stream
        growing.replace(path)
    finally:
        growing.unlink(missing_ok=True)


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, bool | list | dict) else value
