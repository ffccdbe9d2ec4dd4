"""Targets: lines, tensors, truths, and webhooks with the answers of their receivers."""

import asyncio
from pathlib import Path
from typing import Any

from api.bulk.ids import read_ids
from api.bulk.parsing import LineParser, read_document
from api.http.conversion import converted
from api.open_inference.tensors.reading import parse_inference
from api.predictions.defaults import Defaults
from api.truths.truth_routes import TruthRequest
from benchmarks.fuzz.target import Parse, Target, plain
from benchmarks.fuzz.targets import world
from benchmarks.fuzz.targets.requests import http_request
from tasks.targets.webhook import Webhook, target
from tasks.truths.scoring import score
from tasks.wire import decode
from telemetry.errors import Invalid
from webhooks.sending import FAILURES, read_answer

LINES = (
    b'{"features": [1, 2.5], "model": "numbers", "cache": 30, "sticky": "a"}',
    b'{"features": {"x0": NaN}, "webhook": {"url": "https://a.example/", "events": []}}',
)
DOCUMENTS = (
    b'{"model": "numbers", "requests": [{"features": [1, 2]}, {"features": [3, 4], "cache": 0}]}',
)
IDS = (b'"0193a4b2-11aa-7000-8000-00000000beef"\n{"id": "x"}\n{"code": "invalid"}\n',)
TENSORS = (
    (
        b'{"inputs": [{"name": "x0", "shape": [2, 1], "datatype": "FP64", "data": [1, 2.5]}], '
        b'"outputs": [{"name": "predict"}], "id": "a", "parameters": {"timeout": 1000000}}'
    ),
    (
        b'{"inputs": [{"name": "x0", "shape": [2], "datatype": "BYTES", '
        b'"parameters": {"binary_data_size": 10}}]}\x01\0\0\0a\x01\0\0\0b'
    ),
)
TRUTHS = (b'{"label": 2.5}', b'{"label": ["yes", null]}', b'{"label": [3, 1e90]}')
WEBHOOKS = (
    b'{"url": "https://app.example.com:443/in?x=1", "events": ["prediction.failed"]}',
    b'{"url": "http://[::ffff:127.0.0.1]:80/"}',
)
ANSWERS = (
    b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nbusy",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 204 No Content\r\n\r\n",
)
CLASSES = ("no", "yes")
PREDICTED = (
    ("predict", 1.0, None),
    ("predict", "yes", CLASSES),
    ("predict_proba", [0.2, 0.8], CLASSES),
)


def _line(content: bytes) -> object:
    return LineParser(Defaults(), 100).parse(content)


def _ids(content: bytes) -> object:
    async def receive() -> Any:
        return {"type": "http.request", "body": content, "more_body": False}

    scope: Any = {"headers": [(b"content-type", b"application/x-ndjson")]}
    return asyncio.run(read_ids(scope, receive))


def _inference(content: bytes) -> object:
    length = content.find(b"}]}") + 3 if b"binary_data_size" in content else len(content)
    headers = {"HTTP_INFERENCE_HEADER_CONTENT_LENGTH": b"%d" % length}
    return parse_inference(http_request(content, "application/json", **headers), content, 100)


def _truth(content: bytes) -> object:
    """Compare it with predictions of each kind; refused if it fits none."""
    label, refusals, found = converted(decode(content), TruthRequest).label, [], []
    rows = len(label) if isinstance(label, list) else 1
    for method, prediction, classes in PREDICTED:
        try:
            found.append(score(method, [prediction] * rows, label, classes))
        except Invalid as error:
            refusals.append(error)
    if not found:
        raise refusals[0]
    return found


def _webhook(home: Path) -> Parse:
    settings = world.settings(home)
    return lambda content: target(converted(decode(content), Webhook), settings)


def _answer(content: bytes) -> object:
    async def read() -> object:
        reader = asyncio.StreamReader(2**14)
        reader.feed_data(content)
        reader.feed_eof()
        return await read_answer(reader)

    try:
        return asyncio.run(read())
    except FAILURES:  # what an attempt may end with
        return None


TARGETS = (
    plain("bulk line", LINES, _line),
    plain("bulk document", DOCUMENTS, read_document),
    plain("ids", IDS, _ids),
    plain("inference", TENSORS, _inference),
    plain("truth", TRUTHS, _truth),
    Target("webhook", WEBHOOKS, _webhook),
    plain("answer of a receiver", ANSWERS, _answer),
)
