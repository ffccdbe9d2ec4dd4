"""The submissions of the proof: of each kind, and each with the key of its tenant."""

from random import Random

import msgspec

from benchmarks.prove.callers.mix import RECENT, Mix
from benchmarks.prove.callers.submissions import BulkRequest, Request
from benchmarks.prove.callers.tenants import Tenants
from benchmarks.prove.witness import CRASHES
from tasks.arrow.stream import ARROW

URL = "http://127.0.0.1:9/events"
TENANTS = Tenants(("Authorization: Bearer one", "Authorization: Bearer two"))


def submissions(count: int, *, is_plain: bool = False) -> list[Request | BulkRequest]:
    mix = Mix(Random(0), TENANTS, URL, is_plain=is_plain)
    return [mix.next() for _ in range(count)]


def rows(found: list[Request | BulkRequest]) -> list[Request]:
    return [
        row for each in found for row in (each.requests if hasattr(each, "requests") else [each])
    ]


def test_submissions_are_of_every_kind() -> None:
    found = submissions(500)
    every = rows(found)
    assert any(isinstance(each, BulkRequest) for each in found)
    assert any(each.kind == ARROW for each in every)
    assert any(each.asked.row_of for each in every)
    assert any(each.asked.has_webhook for each in every)
    assert all(any(word in each.body for each in every) for word in (b'"high"', b'"low"'))
    numbers = [each.asked.number for each in every]
    assert len(set(numbers)) == len(numbers)


def test_webhook_is_in_the_body_of_those_whose_event_is_awaited() -> None:
    for each in rows(submissions(500)):
        has_webhook = each.kind != ARROW and "webhook" in msgspec.json.decode(each.body)
        assert has_webhook is each.asked.has_webhook


def test_each_submission_presents_the_key_of_its_tenant() -> None:
    for each in submissions(100):
        tenants = {row.asked.tenant for row in rows([each])}
        (tenant,) = tenants
        assert TENANTS.header(tenant).encode() in each.content(TENANTS)


def test_rows_are_repeated_within_a_tenant() -> None:
    every = rows(submissions(500))
    tenant_of = {each.asked.number: each.asked.tenant for each in every}
    repeated = [each.asked for each in every if each.asked.row_of]
    assert repeated
    assert all(tenant_of[asked.row_of] == asked.tenant for asked in repeated)
    assert all(asked.number - asked.row_of < 100 * RECENT for asked in repeated)


def test_plain_submissions_are_json_alone() -> None:
    found = submissions(300, is_plain=True)
    assert {each.kind for each in rows(found)} == {"application/json"}
    assert not any(isinstance(each, BulkRequest) for each in found)
    assert not any(each.asked.has_webhook or each.asked.row_of for each in rows(found))


def test_mischief_is_asked_of_the_next_rows() -> None:
    mix = Mix(Random(0), TENANTS, URL, is_plain=True)
    mix.mischief.append((CRASHES, 0.0))
    assert [row.asked.kind for row in rows([mix.next(), mix.next()])].count(CRASHES) == 1
    assert not mix.mischief
