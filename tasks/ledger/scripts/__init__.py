"""Loads the Lua scripts, each from a file of its own."""

import re
from importlib import resources

import redis
from redis.commands.core import Script

from tasks.ledger import keys
from tasks.ledger.heads import OPEN_HEADS

_uses = re.compile(r"-- Uses: (.+)\n")


def load_script(client: redis.Redis, name: str, **constants: float) -> Script:
    """The script ``name``, to be called with keys and args: one round trip (`EVALSHA`).

    A script names its libraries itself, in a first line ``-- Uses: messages, pausing``. It is then
    preceded by the key layout, the heads of open records and ``constants`` as upper-case locals,
    and by the libraries' text, in that order. ``jobs.begin`` is tasks/jobs/scripts/begin.lua.
    """
    script = script_text(name)
    libraries = _libraries(script)
    front = [_locals(constants), *map(script_text, libraries)] if libraries else []
    return client.register_script("".join([*front, script]))


def _libraries(script: str) -> list[str]:
    """The libraries that a script names, in order: a later one may call an earlier one."""
    named = _uses.match(script)
    return named[1].split(", ") if named else []


def script_text(name: str) -> str:
    """The text of a script or library, named as for `load_script`."""
    folder, _, stem = name.rpartition(".")
    package = f"tasks.{folder}.scripts" if folder else __name__
    return resources.files(package).joinpath(f"{stem}.lua").read_text()


def _locals(constants: dict[str, float]) -> str:
    layout = {name: f"'{key}'" for name, key in vars(keys).items() if name.isupper()}
    heads = {name: f"'{head.decode()}'" for name, head in OPEN_HEADS.items()}
    numbers = {name.upper(): repr(value) for name, value in constants.items()}
    values = {**layout, **heads, **numbers}
    return "".join(f"local {name} = {value}\n" for name, value in values.items())
