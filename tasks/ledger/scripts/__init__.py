"""Loads the Lua scripts of all rooms of `tasks`, and has the libraries that they share."""

import re
from importlib import resources

import redis
from redis.commands.core import Script

import tasks
from tasks.ledger import keys
from tasks.ledger.heads import OPEN_HEADS, SUCCEEDED_HEAD

_word, _comment = re.compile(r"\w+"), re.compile(r"--.*")
_definition = re.compile(r"^local (?:.*\n)+?(?=local |--|\Z)", re.MULTILINE)
"""One at the top level of a library: all lines of its body are indented but the last."""
_names = re.compile(r"local (?:function )?(\w+(?:, \w+)*)")
_uses = re.compile(r"-- Uses: (.+)\n")


def load_script(client: redis.Redis, name: str, *without: str, **constants: float) -> Script:
    """The script ``name``, to be called with keys and args: one round trip (`EVALSHA`).

    A script names its libraries itself, in a first line ``-- Uses: messages, pausing``. It is then
    preceded by what it uses of the key layout, the heads of records and ``constants``, as
    upper-case locals, and of the libraries, in that order. The functions of the libraries
    ``without`` are nil. ``ledger.queue.reserve`` is tasks/ledger/queue/scripts/reserve.lua; a name
    without a room is a file beside this module.
    """
    script = script_text(name)
    libraries = _libraries(script)
    texts = (
        _stubs(library) if library in without else script_text(library) for library in libraries
    )
    front = [_locals(constants), *texts] if libraries else []
    return client.register_script(_used("".join(front), script) + script)


def _stubs(library: str) -> str:
    definitions = _definition.findall(script_text(library))
    return "".join(f"local {name}\n" for each in definitions for name in _defined(each))


def _used(front: str, script: str) -> str:
    """The definitions in front of a script that it uses: Redis makes each anew for every call."""
    # From the last definition to the first, as each may use only those in front of it.
    used: list[str] = []
    needed = _words(script)
    for definition in reversed(_definition.findall(front)):
        if needed & _defined(definition):
            used.append(definition)
            needed |= _words(definition)
    return "".join(reversed(used))


def _defined(definition: str) -> set[str]:
    named = _names.match(definition)
    return {*named[1].split(", ")} if named else set()


def _words(text: str) -> set[str]:
    return {*_word.findall(_comment.sub("", text))}


def _libraries(script: str) -> list[str]:
    """The libraries that a script names, in order: a later one may call an earlier one."""
    named = _uses.match(script)
    return named[1].split(", ") if named else []


def script_text(name: str) -> str:
    """The text of a script or library, named as for `load_script`."""
    *folders, stem = (name if "." in name else f"ledger.{name}").split(".")
    return resources.files(tasks).joinpath(*folders, "scripts", f"{stem}.lua").read_text()


def _locals(constants: dict[str, float]) -> str:
    layout = {name: f"'{key}'" for name, key in vars(keys).items() if name.isupper()}
    known = {**OPEN_HEADS, "SUCCEEDED_HEAD": SUCCEEDED_HEAD}
    heads = {name: f"'{head.decode()}'" for name, head in known.items()}
    numbers = {name.upper(): repr(value) for name, value in constants.items()}
    values = {**layout, **heads, **numbers}
    return "".join(f"local {name} = {value}\n" for name, value in values.items())
