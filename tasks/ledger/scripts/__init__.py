"""The Lua scripts, each in a file of its own, and how one is called."""

from importlib import resources

import redis
from redis.commands.core import Script


def load(client: redis.Redis, name: str) -> Script:
    """The script of this name; called with keys and args, it is one round trip (`EVALSHA`)."""
    return client.register_script(resources.files(__name__).joinpath(f"{name}.lua").read_text())
