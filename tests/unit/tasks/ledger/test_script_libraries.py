"""Each Lua script names the libraries that it uses, and its arguments."""

import re

import pytest
import redis

from benchmarks.mutants.lua import script_names
from tasks.ledger import scripts

LIBRARY = re.compile(r"^local function (\w+)", re.MULTILINE)
NAMES = {
    *(
        "arms",
        "attempts",
        "breaking",
        "burying",
        "handing",
        "idle",
        "jobs.jobs",
        "limiting",
        "messages",
    ),
    *("flows", "in_flight", "outcomes", "pausing", "reuse", "tags", "turns"),
    *("webhooks.events", "webhooks.origins"),
    *("ledger.tenants.counting", "ledger.tenants.quotas", "ledger.tenants.storing"),
}


def texts() -> dict[str, str]:
    """Name → text of each script and library."""
    return {name: scripts.script_text(name) for name in script_names()}


@pytest.mark.parametrize("name", sorted(texts().keys() - NAMES))
def test_script_names_every_library_that_it_calls(name: str) -> None:
    code = re.sub(r"--.*", "", texts()[name])
    shared = {function for library in NAMES for function in LIBRARY.findall(texts()[library])}
    named = scripts._libraries(texts()[name])
    defined = {f for text in map(texts().get, named) for f in LIBRARY.findall(text or "")}
    called = {*re.findall(r"(?<![.\w])(\w+)\(", code)} & shared
    assert called <= defined | {*LIBRARY.findall(code)}


@pytest.mark.parametrize("name", sorted(texts()))
def test_script_names_its_arguments_before_it_calls_redis(name: str) -> None:
    """A reader need not count arguments: only the first lines of a script do."""
    code = re.sub(r"--.*", "", texts()[name])
    first_call = code.index("redis.") if "redis." in code else len(code)
    assert not re.search(r"\b(KEYS|ARGV)\b", code[first_call:])


class Client(redis.Redis):
    """Gives back the text that is registered."""

    def register_script(self, script: object) -> object:  # a stand-in
        return script


def test_script_follows_the_key_layout_and_its_libraries() -> None:
    text = str(scripts.load_script(Client(), "ledger.queue.upkeep", result_ttl=5))
    positions = [
        text.index(part)
        for part in (
            "local RECORD = ",
            "local RESULT_TTL = 5",
            "local function clock",
            "local function queue_of_tag",
            "-- Extend the",
        )
    ]
    assert positions == sorted(positions)


def test_script_has_only_the_definitions_that_it_uses() -> None:
    text = str(scripts.load_script(Client(), "ledger.predictions.start", result_ttl=5, other=7))
    assert "local RESULT_TTL = 5" in text
    assert "local function head_of" in text, "which in_state calls"
    assert not {"OTHER", "give_back", "postponed_attempts", "STATISTICS"} & {
        *re.findall(r"\w+", text)
    }


def test_functions_of_a_library_that_is_left_out_are_nil() -> None:
    text = str(scripts.load_script(Client(), "ledger.predictions.accept", "reuse", join_seconds=5))
    assert "local reuse_functions\n" in text
    assert "outcome_with" not in text
