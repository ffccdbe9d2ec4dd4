"""Checks the input and output of a batch job before it is submitted."""

import errno
import os
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import click

from cli.failure import Failure
from tasks.jobs.files.naming import Format, named_format, no_data, wrong_input, wrong_output


class FileName(click.ParamType[str]):
    """A path or URI. Not ``-``: unlike a file, a stream cannot be replaced atomically."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value == "-":
            self.fail(
                "`-` is not a file; batch jobs cannot use standard input or output.", param, ctx
            )
        return str(value)


def is_uri(path: str) -> bool:
    """Whether it is a URI, which means the same on every machine."""
    return "://" in path


def check_names(
    source: str, read_as: Format | None, output: str | None, written_as: Format | None
) -> None:
    """Raise `click.UsageError` for file names that cannot be an input or output."""
    reason = wrong_input(source, read_as)
    if output:
        reason = reason or wrong_output(output, written_as) or no_data(output)
    if reason:
        raise click.UsageError(reason)


def check_fetched(source: str, output: str, *, overwrite: bool) -> None:
    """Raise `click.UsageError` or `Failure` if an output cannot be downloaded to this file."""
    target = Path(output).expanduser()
    if Path(source).resolve() == target.resolve():
        raise click.UsageError("OUTPUT must not be the same file as INPUT.")
    if named_format(output)[1]:
        raise click.UsageError(f"A fetched output cannot be compressed: {output}")
    try:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if os.path.lexists(target) and not overwrite:
            raise Failure(f"{output} already exists: name another file, or give --overwrite")
        with TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise Failure(f"{output} cannot be written: {error.strerror}") from error
