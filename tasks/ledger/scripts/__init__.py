"""The Lua scripts, each in a file of its own, and how one is called."""

from importlib import resources

import redis
from redis.commands.core import Script

from tasks.ledger import keys


def load(client: redis.Redis, name: str, *libraries: str, **constants: float) -> Script:
    """The script of this name; called with keys and args, it is one round trip (`EVALSHA`).

    With libraries, what they hold stands in front of it, and so do the key layout and these
    constants, as locals in capitals. ``jobs.begin`` is begin.lua of the scripts of jobs.
    """
    parts = [_read(part) for part in (*libraries, name)]
    return client.register_script("".join([_locals(constants), *parts] if libraries else parts))


def _read(name: str) -> str:
    room, _, own = name.rpartition(".")
    package = f"tasks.{room}.scripts" if room else __name__
    return resources.files(package).joinpath(f"{own}.lua").read_text()


def _locals(constants: dict[str, float]) -> str:
    layout = {name: f"'{key}'" for name, key in vars(keys).items() if name.isupper()}
    numbers = {name.upper(): repr(value) for name, value in constants.items()}
    return "".join(f"local {name} = {value}\n" for name, value in {**layout, **numbers}.items())
