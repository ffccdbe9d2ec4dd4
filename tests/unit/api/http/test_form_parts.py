"""Forms are read part by part: files to where they are opened, fields within a bound."""

import io
from typing import IO
from urllib.parse import quote

import pytest
from flask import Flask, request
from werkzeug.test import EnvironBuilder

from api.http.form_parts import MAX_FORM_MEMORY_BYTES, MAX_FORM_PARTS
from api.http.forms import parse_form
from telemetry.errors import Invalid, Malformed, TooLarge

app = Flask(__name__)
TYPE = "multipart/form-data; boundary=b"


class Opener:
    """Opens files in memory, and notes their names."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, name: str) -> IO[bytes]:
        self.names.append(name)
        return io.BytesIO()


def body(*parts: str) -> bytes:
    return "".join(f"--b\r\n{part}\r\n" for part in parts).encode() + b"--b--\r\n"


def field(name: str, value: str) -> str:
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'


def test_form_of_fields_and_files_is_read() -> None:
    content = bytes(range(256)) * 1000
    data = {"model": ["iris", "wine"], "file": (io.BytesIO(content), "rows.csv")}
    environ, opener = EnvironBuilder(method="POST", data=data).get_environ(), Opener()
    with app.request_context(environ):
        fields, files = parse_form(request, opener)
    assert fields.getlist("model") == ["iris", "wine"]
    assert (files["file"].filename, files["file"].read()) == ("rows.csv", content)
    assert opener.names == ["rows.csv"]


def test_form_may_have_a_long_file_name_that_is_encoded_twice() -> None:
    name = "数" * 255
    head = f'Content-Disposition: form-data; name="file"; filename="{name}"; filename*=UTF-8\'\''
    with app.test_request_context(
        method="POST", data=body(f"{head}{quote(name)}\r\n\r\n1"), content_type=TYPE
    ):
        parse_form(request, opener := Opener())
    assert opener.names == [name]


def test_field_of_another_charset_is_decoded() -> None:
    part = body(field("a", "x")).replace(
        b"\r\n\r\nx", b"\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n\xe9"
    )
    with app.test_request_context(method="POST", data=part, content_type=TYPE):
        assert parse_form(request, Opener())[0]["a"] == "é"


@pytest.mark.parametrize(
    ("parts", "content_type", "error"),
    [
        ([field("a", "x")] * (MAX_FORM_PARTS + 1), TYPE, TooLarge),
        ([field("a", "x" * (MAX_FORM_MEMORY_BYTES // 2 + 1))] * 2, TYPE, TooLarge),
        (["X: y\r\n\r\nx"], TYPE, Malformed),
        (["Content-Disposition: form-data\r\n\r\nx"], TYPE, Invalid),
        ([field("a", "x")], "multipart/form-data", Malformed),
        ([field("a", "x")], "multipart/form-data; boundary=é", Malformed),
        ([field("a", "x")], "multipart/form-data; boundary=c", Malformed),
    ],
)
def test_form_that_cannot_be_read_is_refused(
    parts: list[str], content_type: str, error: type[Exception]
) -> None:
    with (
        app.test_request_context(method="POST", data=body(*parts), content_type=content_type),
        pytest.raises(error),
    ):
        parse_form(request, Opener())
