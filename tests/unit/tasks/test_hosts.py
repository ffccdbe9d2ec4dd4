"""Which `Host` values are accepted, and which origins may post."""

import pytest

from tasks.hosts import MAX_REMEMBERED_HOSTS, Hosts

NOWHERE = [b"", b"evil.example", b"localhost.evil.example", b"evil.example:5000", b"localhost:x"]
STRANGE = [b"localhost@evil.example", b"[::1", b"::1", b"\xff", b"localhost:5000:1", b"a b"]


@pytest.mark.parametrize(
    "host",
    [b"localhost", b"LocalHost:5000", b"127.0.0.1:1", b"127.0.0.1", b"[::1]:5000", b"localhost."],
)
def test_loopback_names_are_its_own(host: bytes) -> None:
    assert Hosts("127.0.0.1", "").takes(host)
    assert Hosts("0.0.0.0", "").takes(host)


@pytest.mark.parametrize("host", [*NOWHERE, *STRANGE])
@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_foreign_hosts_are_not_taken(address: str, host: bytes) -> None:
    hosts = Hosts(address, "api.example,.inner.example")
    assert not hosts.takes(host)
    assert not hosts.takes(host)


def test_addresses_are_its_own_where_others_can_reach_it() -> None:
    """DNS rebinding cannot use a literal address: the name would have to be the address."""
    reachable, loopback = Hosts("0.0.0.0", ""), Hosts("127.0.0.1", "")
    for host in (b"192.0.2.7:5000", b"[2001:db8::1]:5000", b"10.0.0.1"):
        assert reachable.takes(host)
        assert not loopback.takes(host)
    assert Hosts("192.0.2.7", "").takes(b"192.0.2.7:5000")
    assert Hosts("inner", "").takes(b"inner:5000")


def test_listed_hosts_are_taken() -> None:
    hosts = Hosts("127.0.0.1", "api, Predict.Example ,.inner.example,")
    for host in (b"api:5000", b"predict.example", b"a.inner.example:80", b"b.a.inner.example"):
        assert hosts.takes(host)
    assert not hosts.takes(b"inner.example")
    assert not hosts.takes(b"notinner.example")
    assert Hosts("127.0.0.1", "*").takes(b"anything.example")


def test_remembered_hosts_are_bounded() -> None:
    hosts = Hosts("127.0.0.1", ".example")
    for number in range(2 * MAX_REMEMBERED_HOSTS):
        assert hosts.takes(b"%d.example" % number)
    assert len(hosts._right) == MAX_REMEMBERED_HOSTS


def test_pages_of_the_host_itself_and_of_listed_ones_are_trusted() -> None:
    hosts = Hosts("127.0.0.1", "app.example,*")
    assert hosts.trusts(b"http://localhost:5000", b"localhost:5000")
    assert hosts.trusts(b"https://LOCALHOST:5000", b"localhost:5000")
    assert hosts.trusts(b"https://app.example", b"localhost:5000")
    for origin in (b"null", b"", b"http://", b"http://localhost:3000", b"http://evil.example"):
        assert not hosts.trusts(origin, b"localhost:5000")
    assert not hosts.trusts(b"http://*", b"localhost:5000")
