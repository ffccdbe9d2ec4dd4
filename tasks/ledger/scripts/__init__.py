"""Loads the Lua scripts, each from a file of its own."""

from importlib import resources

import redis
from redis.commands.core import Script

from tasks.ledger import keys


def load_script(client: redis.Redis, name: str, *libraries: str, **constants: float) -> Script:
    """The script ``name``, to be called with keys and args: one round trip (`EVALSHA`).

    With libraries, the script is preceded by the key layout and ``constants`` as upper-case
    locals, and by the libraries' text. ``jobs.begin`` is tasks/jobs/scripts/begin.lua.
    """
    parts = [_read(part) for part in (*libraries, name)]
    return client.register_script("".join([_locals(constants), *parts] if libraries else parts))


def _read(name: str) -> str:
    folder, _, stem = name.rpartition(".")
    package = f"tasks.{folder}.scripts" if folder else __name__
    return resources.files(package).joinpath(f"{stem}.lua").read_text()


def _locals(constants: dict[str, float]) -> str:
    layout = {name: f"'{key}'" for name, key in vars(keys).items() if name.isupper()}
    numbers = {name.upper(): repr(value) for name, value in constants.items()}
    return "".join(f"local {name} = {value}\n" for name, value in {**layout, **numbers}.items())
