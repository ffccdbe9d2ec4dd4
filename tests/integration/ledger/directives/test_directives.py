"""Directives in a real Redis."""

from tasks.ledger import keys
from tasks.ledger.queue.directives import MAX_DIRECTIVES, NONE, Directive, Directives, NewDirectives


def test_directives_are_read_in_order_after_one_that_is_known(client) -> None:
    directives = Directives(client)
    assert (directives.newest(), directives.since(NONE)) == (NONE, NewDirectives([], NONE, None))
    load = directives.give("m:1", loads=True)
    unload = directives.give("m:2", loads=False)
    assert directives.newest() == unload
    both = [Directive(load, "m:1", loads=True), Directive(unload, "m:2", loads=False)]
    assert directives.since(NONE) == NewDirectives(both, unload, None)
    assert directives.since(load) == NewDirectives(both[1:], unload, None)
    assert directives.since(unload) == NewDirectives([], unload, None)


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


def test_entries_that_are_no_directives_are_passed_over(client) -> None:
    directives = Directives(client)
    known = directives.give("m:1", loads=True)
    client.xadd(keys.DIRECTIVES, {"version": b"\xff", "act": "load"})
    last = client.xadd(keys.DIRECTIVES, {"other": "field"}).decode()
    assert directives.since(known) == NewDirectives([], last, None)


def test_worker_hears_that_directives_were_dropped_before_it_read_them(client) -> None:
    directives = Directives(client)
    read = directives.give("m:1", loads=True)
    unread = directives.give("m:2", loads=True)
    client.xtrim(keys.DIRECTIVES, minid=unread, approximate=False)
    assert directives.since(read).missed == unread
    assert directives.since(unread).missed is None
