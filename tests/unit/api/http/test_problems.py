"""Texts that a problem quotes from a request are truncated."""

import msgspec

from api.http.problems import MAX_TEXT_CHARS, Problem, answer_to
from telemetry.errors import Detail, Invalid


def test_a_long_name_is_not_sent_back_whole() -> None:
    name = "x" * 1_000_000
    error = Invalid(f"unknown field {name}", errors=[Detail((), f"unknown field {name}")] * 20)
    body = answer_to(error).get_data()
    told = msgspec.json.decode(body, type=Problem)
    assert len(body) < 25 * MAX_TEXT_CHARS
    assert told.detail.startswith("unknown field xxx")
    assert len(told.errors) == 20


def test_a_short_name_is_sent_as_it_is() -> None:
    told = msgspec.json.decode(answer_to(Invalid("a word")).get_data(), type=Problem)
    assert told.detail == "a word"
