"""Every parser of a request field takes linear time, whatever separators it has.

For 64 KiB a quadratic parser needs seconds, and a cubic one hours.
"""

import io
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from flask import Flask, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from api.asgi.request_filter import MAX_FIELD_BYTES
from api.batches.request import UploadRequest
from api.batches.upload import _suffixes
from api.console.pages.dead_letters import _number, _quoted
from api.dead_letters.routes import Page
from api.drop_in.resources import read_resources
from api.http import prefer
from api.http.downloads import _asks_for_one_range
from api.http.form_parts import BoundedDecoder
from api.http.forms import parse_form, read_form
from api.http.operator_bodies import read_query
from api.operations.front_page import front_page
from registry import names
from registry.manifest import Column
from registry.rows.values import fault
from registry.splits import parse_meaning
from tasks.callers.rate import Rate
from tasks.callers.tokens import read_token
from tasks.events.log import _position
from tasks.hosts import Hosts
from tasks.ids import Ids
from tasks.settings import Settings
from tasks.targets.webhook import Webhook, target
from tasks.wire import decode
from telemetry.errors import PredictqError, TooLarge

LENGTH = 65_536
SOON = 0.25
"""Limit in seconds; linear parsers take less than a tenth of it."""
app = Flask(__name__)
HOSTS, IDS = Hosts("0.0.0.0", ".example"), Ids(b"key")
NONE = Settings(home="/none", redis_url="")


def column(kind: Any) -> Column:
    return Column(name="x", type=kind)


def _read_form(text: str) -> None:
    read_form(MultiDict({"model": "m", "delimiter": text, "output_uri": text}), UploadRequest)


OURS: dict[str, tuple[Callable[[str], Any], str]] = {
    "Prefer": (prefer.parse_prefer, ' ,;="\t'),
    "Host": (lambda text: HOSTS.takes(text.encode()), ":[].@ "),
    "Origin": (lambda text: HOSTS.trusts(text.encode(), b"localhost"), ":/[].@"),
    "a model": (names.parse_reference, "@:.-_ "),
    "a name": (names.checked_name, ".-_ "),
    "an id": (IDS.created_at, "-{} "),
    "a file name": (_suffixes.search, "./ "),
    "JSON": (lambda text: decode(text.encode()), '[{,:" \\\n'),
    "a time": (lambda text: fault(column("datetime"), text), "-:.TZ+ 0"),
    "a duration": (lambda text: fault(column("duration"), text), ":.P -0"),
    "a decimal": (lambda text: fault(column("decimal"), text), "._eE+-0 "),
    "a form's field": (_read_form, ":/.,"),
    "numbers of a reason": (lambda text: _number.sub("#", text), "0af.-x "),
    "quotes of a reason": (lambda text: _quoted.sub("", text), "'\" "),
    "a quantity": (lambda text: read_resources({"memory_limit": text}), "0. mKi"),
    "a split": (parse_meaning, "=,1 "),
    "a rate": (Rate.parse, "0./e_ "),
    "a token": (lambda text: read_token(f"pq_live_{text}"), "_ 0"),
    "an address of a webhook": (lambda text: target(Webhook(f"https://{text}"), NONE), ":/[]@?#.%"),
    "a position of events": (_position.fullmatch, "-0 "),
}
"""Parsers of fields, with the separators that they know."""
HEADERS: dict[str, tuple[Callable[[], Any], str]] = {
    "Accept": (front_page, ' ,;=/"\\*'),
    "Authorization": (lambda: request.authorization, ' ,="\\'),
    "Content-Type": (lambda: request.mimetype_params, ' ;="\\/*'),
    "If-Match": (lambda: "tag" in request.if_match, ' ,"\\W/'),
    "If-None-Match": (lambda: "tag" in request.if_none_match, ' ,"\\W/'),
    "If-Range": (lambda: request.if_range, ' ,":'),
    "If-Modified-Since": (lambda: request.if_modified_since, " ,:-()"),
    "Range": (lambda: _asks_for_one_range(100), " ,=-0"),
}
"""Fields that Werkzeug parses; `RequestFilter` accepts `MAX_FIELD_BYTES` bytes of each."""


def seconds(read: Callable[[], Any]) -> float:
    """The best time of three tries, since other processes use the machine too."""

    def once() -> float:
        started = time.perf_counter()
        with suppress(PredictqError, HTTPException, ValueError):
            read()
        return time.perf_counter() - started

    return min(once() for _ in range(3))


def texts(separators: str, length: int) -> Iterator[str]:
    """Each separator repeated, alone and between values, and never terminated."""
    for separator in separators:
        yield separator * length
        yield "a=" + separator * length + 'x"y"'
        yield f"a{separator}" * (length // 2)
        yield "wait=" + separator * length + 'x"y"'


@pytest.mark.parametrize("name", OURS)
def test_own_parsers_take_no_longer_for_separators(name: str) -> None:
    read, separators = OURS[name]
    for text in texts(separators, LENGTH):
        assert seconds(lambda text=text: read(text)) < SOON, (text[:10], len(text))


@pytest.mark.parametrize("name", HEADERS)
def test_werkzeug_parsers_take_no_longer_for_separators(name: str) -> None:
    read, separators = HEADERS[name]
    for text in texts(separators, MAX_FIELD_BYTES):
        with app.test_request_context(headers={name: text}):
            assert seconds(read) < SOON, (text[:10], len(text))


@pytest.mark.parametrize("separator", "&=%;+")
def test_query_of_separators_takes_no_longer(separator: str) -> None:
    for text in texts(separator, MAX_FIELD_BYTES):
        with app.test_request_context(query_string=text):
            assert seconds(lambda: read_query(request, Page)) < SOON, text[:10]


@pytest.mark.parametrize("filling", [b"-", b"\r", b"\n", b"\r\n--b", b"\r\n--b ", b" ", b"--b"])
def test_form_of_separators_takes_no_longer(filling: bytes) -> None:
    """The form arrives in pieces, and must not be parsed from the start with each."""
    head = b'--b\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n'
    pieces = [head, *([filling * (4096 // len(filling))] * (LENGTH // 4096))]

    def read() -> None:
        decoder = BoundedDecoder(b"b", LENGTH * 2, max_parts=128)
        for piece in pieces:
            decoder.receive_data(piece)
            while type(decoder.next_event()).__name__ not in ("NeedData", "Epilogue"):
                pass

    assert seconds(read) < SOON


@pytest.mark.parametrize("separator", [*" ;=\"\\*%':,\t\r\n", "a=b;", "a*0=b;", '; a="', "\r\n "])
@pytest.mark.parametrize("field", ["Content-Disposition", "Content-Type", "X"])
def test_head_of_a_part_is_refused_before_it_is_parsed(field: str, separator: str) -> None:
    """Werkzeug would take a tenth of a second for a head of 64 KiB, and a form has 128."""
    head = 'Content-Disposition: form-data; name="a"\r\n' if field != "Content-Disposition" else ""
    many = f"{head}{field}: form-data; name=a; x{separator * (LENGTH // len(separator))}"
    content_type = "multipart/form-data; boundary=b"
    body = f"--b\r\n{many}\r\n\r\nx\r\n--b--\r\n"
    with app.test_request_context(method="POST", data=body, content_type=content_type):
        if "\n\n" in many or "\r\r" in many:  # the end of a head, too
            assert seconds(lambda: parse_form(request, lambda _: io.BytesIO())) < SOON
        else:
            with pytest.raises(TooLarge):
                parse_form(request, lambda _: io.BytesIO())
