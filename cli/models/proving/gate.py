"""Compares the running stack's predictions of a sample, by each door, with the model's own."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from predictq import Client, PredictqError, WaitTimeout
from registry.manifest import Manifest
from tasks.wire import decode, encode
from telemetry.errors import AnswersDiffer, Unavailable
from workers.gate.comparing import SHOWN_ROWS, Difference
from workers.gate.differences import differences_text
from workers.gate.doors import FORMATS, write_sample
from workers.jobs.tables.output.columns import columns
from workers.models.signature.own_answers import OwnAnswers
from workers.models.tabular.equality import equal
from workers.models.tabular.outputs import to_wire

ROWS_PER_REQUEST = 500
"""Rows in one request."""
JOB_TIMEOUT = 120.0
"""Seconds that scoring the sample as a batch job may take."""


def prove_served(url: str, manifest: Manifest, own: OwnAnswers) -> None:
    """Check that the stack's predictions of a sample equal the model's own.

    Through the queue, and as a batch job in each format. Raises `AnswersDiffer`, which shows the
    first rows, and `Unavailable` if the stack does not answer in time.
    """
    with Client(url, timeout=JOB_TIMEOUT) as client:
        found = [*islice(_by_queue(client, manifest, own), SHOWN_ROWS)]
        for kind in FORMATS:
            found += islice(_by_job(client, manifest, own, kind), SHOWN_ROWS)
    if found:
        raise AnswersDiffer(differences_text(manifest.reference, found))


def _unproved(manifest: Manifest) -> str:
    what = manifest.reference
    return (
        f"the stack did not answer the rows of {what} within {JOB_TIMEOUT:.0f} s; "
        f"`predictq models check {what} --data FILE` asks again"
    )


def _by_queue(client: Client, manifest: Manifest, own: OwnAnswers) -> Iterator[Difference]:
    for method, answers in own.answers.items():
        mine = decode(encode(to_wire(answers)))  # as JSON has them: times are text
        for start in range(0, len(mine), ROWS_PER_REQUEST):
            rows = _rows(manifest, own, start)
            try:
                served = client.predict(manifest.reference, rows, method=method).predictions
            except WaitTimeout as error:
                raise Unavailable(_unproved(manifest)) from error
            except PredictqError as error:
                yield Difference("queue", start + 1, method, mine[start], None, str(error))
                continue
            for index, (one, other) in enumerate(zip(mine[start:], served, strict=False), start):
                if not equal(one, other):
                    yield Difference("queue", index + 1, method, one, other)


def _rows(manifest: Manifest, own: OwnAnswers, start: int) -> Any:
    """Rows as a caller would send them: a frame if the model has names, else an array."""
    frame = own.frame.iloc[start : start + ROWS_PER_REQUEST]
    return frame if manifest.signature.named else frame.astype(object).to_numpy()


def _by_job(
    client: Client, manifest: Manifest, own: OwnAnswers, format: str
) -> Iterator[Difference]:
    methods = [*own.answers]
    with TemporaryDirectory() as directory:
        source, target = Path(directory) / f"sample.{format}", Path(directory) / "answers.parquet"
        if not write_sample(own.frame, manifest.signature, source):
            return
        try:
            job = client.jobs.submit(
                *(manifest.reference, source), upload=True, methods=methods, output_format="parquet"
            )
            job = client.jobs.wait(job.id, JOB_TIMEOUT)
        except WaitTimeout as error:
            raise Unavailable(_unproved(manifest)) from error
        if not job.has_output:
            reason = job.error.message if job.error else job.status
            yield Difference(format, 1, methods[0], None, None, reason)
            return
        for row in islice(client.jobs.errors(job.id), SHOWN_ROWS):
            yield Difference(format, row.line, methods[0], None, None, row.message)
        client.jobs.download(job.id, target)
        yield from _in_output(manifest, own, format, pq.read_table(target))


def _in_output(
    manifest: Manifest, own: OwnAnswers, format: str, output: pa.Table
) -> Iterator[Difference]:
    for name, mine in columns(manifest.signature, own.answers).items():
        pairs = zip(mine.to_pylist(), output[name].to_pylist(), strict=True)
        for index, (one, other) in enumerate(pairs):
            if not equal(one, other):
                yield Difference(format, index + 1, name, one, other)
