"""Mutations of a message: corrupt bytes, and valid JSON with nonsensical content."""

import json
import random
from collections.abc import Callable
from typing import Any

DEEP = "[" * 3000 + "]" * 3000
NASTY: list[Any] = [
    *(None, True, 0, -1, 2**31, 2**63, 2**64, -(2**63) - 1, 10**30, 10**400, 1e308, -0.0, 5e-324),
    *(float("nan"), float("inf"), "", " ", "\x00", "\ud800", "é" * 300, "x" * 20_000, "-1", "null"),
    *(
        [],
        [[]],
        [None],
        {},
        {"": {}},
        [1, "two", None],
        {"a": [1]},
        json.loads("[" * 50 + "]" * 50),
    ),
]
Document = Any


def mutated(message: bytes, chance: random.Random) -> bytes:
    """The message after one or two mutations."""
    for _ in range(chance.choice([1, 1, 2])):
        message = chance.choice([_noise, _envelope, _envelope, _body, _body, _duplicate])(
            message, chance
        )
    return message


def _noise(message: bytes, chance: random.Random) -> bytes:
    at, length = chance.randrange(len(message) + 1), chance.choice([1, 1, 1, 10, 500])
    rest = message[at + length :]
    match chance.randrange(5):
        case 0:
            return message[:at] + rest
        case 1:
            return message[:at] + chance.randbytes(length) + message[at:]
        case 2:
            return message[:at] + chance.randbytes(length) + rest
        case 3:
            return message[:at]
        case _:
            return message[:at] + message[at : at + length] + message[at:]


def _envelope(message: bytes, chance: random.Random) -> bytes:
    return _rewritten(message, lambda document: _twist(document, chance))


def _body(message: bytes, chance: random.Random) -> bytes:
    """Mutate the task's arguments, which the envelope holds as encoded text."""

    def twist(document: Document) -> Document:
        if isinstance(document, dict) and isinstance(document.get("body"), str):
            if chance.random() < 0.1:
                document["body"] = document["body"].replace("[1.0,0.0]", DEEP)
            else:
                body = _rewritten(document["body"].encode(errors="surrogatepass"), inner)
                document["body"] = body.decode(errors="surrogateescape")
        return document

    def inner(document: Document) -> Document:
        return _twist(document, chance)

    return _rewritten(message, twist)


def _duplicate(message: bytes, chance: random.Random) -> bytes:
    """Write one key twice with two values."""
    value = json.dumps(chance.choice(NASTY))
    key = chance.choice([b'"headers":', b'"id":', b'"task":', b'"body":', b'"rows":', b'"model":'])
    return message.replace(key, key + value.encode() + b"," + key, 1)


def _rewritten(message: bytes, change: Callable[[Document], Document]) -> bytes:
    try:
        document = json.loads(message)
    except (ValueError, RecursionError):
        return message  # no longer a JSON object
    return json.dumps(change(document), separators=(",", ":")).encode()


def _twist(document: Document, chance: random.Random) -> Document:
    """Replace one random value with a nasty one, or remove it."""
    positions = [*_positions(document)]
    if not positions:
        return chance.choice(NASTY)
    parent, key = chance.choice(positions)
    if chance.random() < 0.2:
        del parent[key]
    else:
        parent[key] = chance.choice(NASTY)
    return document


def _positions(document: Document) -> list[tuple[Any, Any]]:
    keys: list[Any] = []
    if isinstance(document, dict):
        keys = list(document)
    elif isinstance(document, list):
        keys = list(range(min(len(document), 20)))
    inner = [position for key in keys[:20] for position in _positions(document[key])]
    return [(document, key) for key in keys] + inner
