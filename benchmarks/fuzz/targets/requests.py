"""Targets: HTTP bodies, headers, queries and forms."""

import asyncio
from io import BytesIO
from pathlib import Path
from typing import Any

import redis
from flask import Request

from api.batches.request import LISTS, OBJECTS, BatchJobRequest, UploadRequest, build_job_request
from api.batches.routes import JobPage
from api.batches.upload import Upload
from api.callers.known_keys import KnownKeys
from api.callers.static_keys import StaticKeys, local_key
from api.http import prefer
from api.http.forms import read_form
from api.http.operator_bodies import read_body, read_query
from api.predictions.submission import idempotency, parse_submission, prepare_prediction
from benchmarks.fuzz.target import Parse, Target, plain
from benchmarks.fuzz.targets import world
from tasks.callers.caller import LOCAL_CALLER
from tasks.jobs.files.file_refs import JobDirectory
from tasks.jobs.files.quota import Quota
from tasks.ledger.predictions.pipeline import Pipeline
from tasks.messages import envelope
from tasks.prediction import predict

PREDICTIONS = (
    b'{"model": "numbers", "features": [[1, 2.5], [3, null]]}',
    b'{"model": "numbers:1", "features": [1, 2], "method": "predict", "timeout_seconds": 2.5}',
    b'{"model":"mixed@best","features":{"age":41,"city":"Bonn","vip":true,"since":null,"note":1}}',
    (
        b'{"model": "mixed", "features": [{"age": NaN, "city": "K\xc3\xb6ln", "vip": false, '
        b'"since": "2026-11-29T10:00:00+01:00", "note": "x"}], "max_queue_seconds": 60}'
    ),
    b'{"model": "texts", "features": ["one", "two"], "max_queue_seconds": null}',
)
ORDERS = (
    b'{"model": "numbers", "input_uri": "/data/in.csv", "output_uri": "/data/out.csv"}',
    (
        b'{"model": "mixed@best", "input_uri": "file:///data/in.ndjson.gz", "methods": ["predict", '
        b'"predict_proba"], "include_input": true, "error_threshold": 0.1, "id_column": "id"}'
    ),
    (
        b'{"model": "numbers:1", "input_uri": "s3://bucket/in.parquet", "input_format": "parquet", '
        b'"output_format": "csv"}'
    ),
    b'{"model": "texts", "input_uri": "/in.csv", "delimiter": ";", "header": false, "na": ["-"]}',
)
FORMS = (
    (
        b"multipart/form-data; boundary=b\n\n"
        b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nnumbers\r\n'
        b'--b\r\nContent-Disposition: form-data; name="na"\r\n\r\n-\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="rows.csv.gz"\r\n'
        b"Content-Type: text/csv\r\n\r\nx0,x1\r\n1,2\r\n\r\n--b--\r\n"
    ),
    (
        b'multipart/form-data; boundary="b c"; charset=utf-8\n\n'
        b"--b c\r\nContent-Disposition: form-data; name*=utf-8''model\r\n\r\nnumbers\r\n--b c--\r\n"
    ),
)
QUERIES = (b"limit=10&status=running", b"after=0199&limit=1", b"status=&limit=%31", b"a=1&a=2")
PREFERENCES = (
    b"wait=10",
    b"respond-async, wait=5",
    b'Wait = "3" ; x=y, handling=lenient',
    b"return=minimal",
)
KEYS = (b"0b9c2d7e-1", b'"quoted"', b"k" * 255, b"\xc3\xa9")
RIGHTS = (b"Bearer <key>", b"Basic YTpi", b'Digest username="a", realm="b"', b"bearer  a=b, c")


def _body(home: Path) -> Parse:
    registry, settings = world.registry(home), world.settings(home)

    def accept(content: bytes) -> bytes:
        prediction = prepare_prediction(
            parse_submission(content, settings.max_rows), registry, settings, LOCAL_CALLER
        )
        return envelope(predict.name, "id", "predict", prediction)

    return accept


def _order(home: Path) -> Parse:
    registry, directory = world.registry(home), JobDirectory(home, "job")
    settings = world.settings(home)

    def read(content: bytes) -> object:
        asked = read_body(http_request(content, "application/json"), BatchJobRequest)
        return build_job_request(
            asked, asked.input_uri, directory, registry, LOCAL_CALLER, None, settings
        )

    return read


def _form(home: Path) -> Parse:
    registry, directory = world.registry(home), JobDirectory(home, "job")
    directory.path.mkdir(parents=True)
    settings = world.settings(home)
    check = Quota(settings).check

    def take(content: bytes) -> object:
        kind, _, body = content.partition(b"\n\n")
        upload = Upload(http_request(body, kind.decode("latin-1")), directory, 0, check)
        asked = read_form(upload.form, UploadRequest, LISTS, OBJECTS)
        return build_job_request(
            asked, upload.uri, directory, registry, LOCAL_CALLER, None, settings
        )

    return take


def _rights(home: Path) -> Parse:
    # Redis is away: a mutant with another id would be looked up there, and fail so.
    known = KnownKeys(StaticKeys(home, None), Pipeline(redis.Redis(port=1)))
    key = local_key(home)

    def see(content: bytes) -> object:
        given = content.replace(b"<key>", key)
        return asyncio.run(known.caller(given, "127.0.0.1"))

    return see


def _key(content: bytes) -> object:
    return idempotency(http_request(HTTP_IDEMPOTENCY_KEY=content), lambda: content)


def http_request(body: bytes = b"", kind: str = "", **headers: bytes) -> Request:
    """A WSGI request; its headers are Latin-1 strings."""
    environ: dict[str, Any] = {name: value.decode("latin-1") for name, value in headers.items()}
    return Request(
        {
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": kind,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": BytesIO(body),
            **environ,
        }
    )


TARGETS = (
    Target("prediction", PREDICTIONS, _body),
    Target("order of a job", ORDERS, _order),
    Target("upload", FORMS, _form),
    Target("authorization", RIGHTS, _rights),
    plain("idempotency key", KEYS, _key),
    plain("preference", PREFERENCES, lambda text: prefer.parse_prefer(text.decode("latin-1"))),
    plain("query", QUERIES, lambda text: read_query(http_request(QUERY_STRING=text), JobPage)),
)
