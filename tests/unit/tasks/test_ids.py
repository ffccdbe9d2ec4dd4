"""Ids carry their time and prove their origin."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from time import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.ids import Ids, read_or_make_key

IDS = Ids(b"k" * 32)


def test_id_is_a_uuid_of_version_seven() -> None:
    parsed = uuid.UUID(IDS.new())

    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)


def test_id_contains_its_creation_time() -> None:
    before = time()

    created_at = IDS.created_at(IDS.new())

    assert created_at is not None
    assert before - 0.001 <= created_at <= time()


def test_ids_are_distinct_and_ordered_by_time() -> None:
    made = [IDS.new() for _ in range(10_000)]

    assert len(set(made)) == len(made)
    assert [i[:13] for i in made] == sorted(i[:13] for i in made)


@given(st.integers(0, 127))
def test_id_with_any_bit_changed_is_not_ours(bit: int) -> None:
    forged = uuid.UUID(int=uuid.UUID(IDS.new()).int ^ (1 << bit))

    assert IDS.created_at(str(forged)) is None


@given(st.text() | st.uuids().map(str))
def test_foreign_id_is_not_ours(text: str) -> None:
    assert IDS.created_at(text) is None


@pytest.mark.parametrize("spell", [str.upper, "urn:uuid:{}".format, lambda i: i.replace("-", "")])
def test_respelled_id_is_not_ours(spell) -> None:
    assert IDS.created_at(spell(IDS.new())) is None


def test_id_of_another_installation_is_not_ours() -> None:
    assert IDS.created_at(Ids(b"other").new()) is None


def test_processes_that_start_together_agree_on_the_key(tmp_path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(read_or_make_key, [tmp_path / "home" / "id.key"] * 32))

    assert len(keys) == 1
    assert (tmp_path / "home" / "id.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["id.key"]


def test_ids_with_a_mark_are_distinct_and_ours() -> None:
    made = [IDS.new_marked() for _ in range(10_000)]
    assert len(set(made)) == len(made)
    assert {Ids.mark_of(each) for each in made} == {IDS.mark}
    assert IDS.created_at(made[0]) is not None
    assert uuid.UUID(made[0]).version == 7


def test_ids_without_a_mark_have_random_digits_below_all_marks_instead() -> None:
    found = {Ids.mark_of(IDS.new()) for _ in range(1000)}
    assert len(found) > 500
    assert max(found) < "800" <= IDS.mark
