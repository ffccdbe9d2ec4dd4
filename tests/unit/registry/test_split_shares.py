"""Splits: which version answers a key, and which shares make a split."""

from collections import Counter

import pytest

from registry.changes import Changes
from registry.splits import (
    Shares,
    checked_shares,
    chosen_version,
    main_version,
    meaning_of,
    meaning_text,
    parse_meaning,
)
from registry.store import Registry
from telemetry.errors import AliasMoved, Invalid, RegistryConflict, VersionNotFound, VersionNotReady

KEYS = [f"caller-{number}" for number in range(5000)]


def by_key(shares: Shares) -> dict[str, int]:
    """The version that answers each key."""
    return {key: chosen_version("churn", "production", shares, key.encode()) for key in KEYS}


def test_split_gives_each_version_its_share() -> None:
    counts = Counter(by_key({3: 70, 4: 20, 5: 10}).values())
    for version, share in {3: 0.7, 4: 0.2, 5: 0.1}.items():
        assert counts[version] / len(KEYS) == pytest.approx(share, abs=0.03)


def test_version_whose_share_grows_keeps_its_keys() -> None:
    before = {key for key, version in by_key({3: 80, 4: 10, 5: 10}).items() if version == 4}
    for shares in ({3: 40, 4: 50, 5: 10}, {4: 90, 5: 10}, {3: 50, 4: 50}):
        found = by_key(shares)
        assert {found[key] for key in before} == {4}


def test_keys_are_drawn_again_for_another_alias() -> None:
    shares = {3: 50, 4: 50}
    here = by_key(shares)
    there = {key: chosen_version("churn", "staging", shares, key.encode()) for key in KEYS}
    assert sum(here[key] == there[key] for key in KEYS) / len(KEYS) == pytest.approx(0.5, abs=0.05)


def test_choice_is_the_same_in_every_release() -> None:
    """Callers must keep their version while the processes of a service are replaced."""
    found = [chosen_version("churn", "production", {3: 50, 4: 50}, b"%d" % n) for n in range(8)]
    assert found == [3, 3, 3, 3, 3, 4, 4, 3]


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        ({3: 90, 4: 20}, "sum to 100, not to 110"),
        ({3: 100}, "2 to 16 versions, not 1"),
        ({}, "2 to 16 versions, not 0"),
        ({3: 100, 4: 0}, "share of version 3 must be 1 to 99"),
    ],
)
def test_shares_that_make_no_split_are_refused(shares: Shares, told: str) -> None:
    with pytest.raises(Invalid, match=told) as raised:
        checked_shares(shares)
    assert raised.value.errors[0].loc == ("version",)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("3", 3),
        ("3=90,4=10", {3: 90, 4: 10}),
        *((text, None) for text in ("", "03", "x", "3=90,3=10", "3=,4", "3=90,4", "3=90 4=10")),
    ],
)
def test_meaning_is_read_from_text(text: str, meaning: int | Shares | None) -> None:
    assert parse_meaning(text) == meaning
    assert meaning is None or meaning_text(meaning) == text


def test_meaning_in_words() -> None:
    assert (meaning_of("m", 3), meaning_of("m", {4: 10, 3: 90})) == ("m:3", "90 % m:3, 10 % m:4")
    assert (main_version(3), main_version({4: 50, 3: 50}), main_version({3: 1, 4: 99})) == (3, 3, 4)


def test_split_alias_leads_each_key_to_a_version(registry: Registry) -> None:
    Changes(registry).set_alias("m", "production", {1: 60, 2: 40})
    resolved = registry.resolve("m@production")
    assert (resolved.manifest.version, resolved.alias) == (1, "production")
    other_process = Registry(registry.home).resolve("m@production")
    for key in KEYS[:50]:
        found = resolved.chosen(key)
        assert found.manifest.version == chosen_version(
            "m", "production", {1: 60, 2: 40}, key.encode()
        )
        assert (found.alias, found) == ("production", other_process.chosen(key))
    drawn = {resolved.chosen(None).manifest.version for _ in range(200)}
    assert drawn == {1, 2}
    plain = registry.resolve("m:3")
    assert plain.chosen("any key") is plain


def test_split_is_set_only_from_what_is_expected(registry: Registry) -> None:
    changes, split = Changes(registry), {1: 90, 2: 10}
    changes.set_alias("m", "a", 1)
    with pytest.raises(AliasMoved, match="it means m:1, not 90 % m:2, 10 % m:3"):
        changes.set_alias("m", "a", split, expected={2: 90, 3: 10})
    assert changes.set_alias("m", "a", split, expected=1).previous == 1
    assert not changes.set_alias("m", "a", {2: 10, 1: 90}, expected=1).changed
    assert changes.set_alias("m", "a", {1: 50, 2: 50}, expected=split).previous == split


def test_split_of_a_version_that_is_not_ready_or_not_there_is_refused(registry: Registry) -> None:
    manifest = registry.resolve("m:3").manifest
    registry.set_state(manifest, registry.readiness(manifest).with_status("refused", "too bad"))
    with pytest.raises(VersionNotReady, match="too bad"):
        Changes(registry).set_alias("m", "a", {1: 50, 3: 50})
    with pytest.raises(VersionNotFound):
        Changes(registry).set_alias("m", "a", {1: 50, 4: 50})
    assert registry.aliases("m") == {}


def test_version_that_a_split_needs_is_not_removed(registry: Registry) -> None:
    changes = Changes(registry)
    changes.set_alias("m", "a", {1: 90, 2: 10})
    with pytest.raises(RegistryConflict, match="m@a is 90 % m:1, 10 % m:2"):
        changes.remove("m", 2, force=False)
    assert changes.keep_latest("m", 1).versions == ()
    assert changes.remove("m", 2, force=True).aliases == ("a",)


def test_rollback_of_a_split_and_to_a_split(registry: Registry) -> None:
    changes = Changes(registry)
    for meaning in (1, {1: 90, 2: 10}, {1: 50, 2: 50}, 2):
        changes.set_alias("m", "production", meaning)
    steps = [changes.rollback("m", "production").version for _ in range(3)]
    assert steps == [{1: 50, 2: 50}, {1: 90, 2: 10}, 1]
    last = registry.history("m")[-1]
    assert (last.act, last.before, last.after) == ("rollback", {1: 90, 2: 10}, 1)


def test_rollback_passes_over_a_split_whose_version_was_removed(registry: Registry) -> None:
    changes = Changes(registry)
    for meaning in (1, {1: 90, 2: 10}, 3):
        changes.set_alias("m", "production", meaning)
    changes.remove("m", 2)
    assert changes.rollback("m", "production").version == 1
