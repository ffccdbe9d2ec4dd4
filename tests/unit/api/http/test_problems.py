"""Texts that a problem quotes from a request are truncated."""

import msgspec

from api.http.problems import MAX_TEXT_CHARS, Problem, answer_to
from telemetry.errors import Detail, Invalid


def test_problem_truncates_a_long_name() -> None:
    name = "x" * 1_000_000
    error = Invalid(f"unknown field {name}", errors=[Detail((), f"unknown field {name}")] * 20)
    body = answer_to(error).get_data()
    told = msgspec.json.decode(body, type=Problem)
    assert len(body) < 25 * MAX_TEXT_CHARS
    assert told.detail.startswith("unknown field xxx")
    assert len(told.errors) == 20


def test_problem_keeps_a_short_name() -> None:
    told = msgspec.json.decode(answer_to(Invalid("a word")).get_data(), type=Problem)
    assert told.detail == "a word"
