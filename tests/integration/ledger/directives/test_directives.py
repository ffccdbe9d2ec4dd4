"""Directives in a real Redis."""

from tasks.ledger import keys
from tasks.ledger.queue.directives import MAX_DIRECTIVES, NONE, Directive, Directives


def test_directives_are_read_in_order_after_one_that_is_known(client) -> None:
    directives = Directives(client)
    assert (directives.newest(), directives.since(NONE)) == (NONE, [])
    load = directives.give("m:1", loads=True)
    unload = directives.give("m:2", loads=False)
    assert directives.newest() == unload
    assert directives.since(NONE) == [
        Directive(load, "m:1", loads=True),
        Directive(unload, "m:2", loads=False),
    ]
    assert directives.since(load) == [Directive(unload, "m:2", loads=False)]


def test_unloaded_versions_are_those_that_were_not_loaded_since(client) -> None:
    directives = Directives(client)
    for version, loads in (("m:1", False), ("m:2", False), ("m:1", True), ("m:3", True)):
        directives.give(version, loads=loads)
    assert directives.unloaded() == {"m:2"}


def test_directives_that_are_kept_are_bounded(client) -> None:
    with client.pipeline() as pipe:
        for number in range(MAX_DIRECTIVES + 500):
            pipe.xadd(keys.DIRECTIVES, {"act": "load", "version": f"m:{number}"})
        pipe.execute()
    Directives(client).give("m:1", loads=True)
    assert client.xlen(keys.DIRECTIVES) <= MAX_DIRECTIVES + 100
