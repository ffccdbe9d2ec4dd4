"""Addresses that events may be sent to: public ones, unless local ones are allowed."""

import asyncio
import ipaddress

import msgspec
import pytest

from tasks.settings import Settings
from tasks.targets.addresses import is_public, may_be_sent_to
from tasks.targets.webhook import Webhook, target
from telemetry.errors import Invalid
from webhooks.guard import TargetUnreachable, addresses_of

STRICT = Settings(home="/none", redis_url="")
LOCAL = msgspec.structs.replace(STRICT, webhooks_allow_local=True)
INNER = [
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"),
    *("100.64.0.1", "100.100.100.200", "224.0.0.1", "255.255.255.255", "240.0.0.1"),
    *("168.63.129.16", "192.0.0.192", "fd20:ce::254", "64:ff9b:1::7f00:1"),
    *("::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1"),
    *("64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::1"),
    "2001:0:4136:e378:8000:63bf:80ff:fffe",  # Teredo, to 127.0.0.1
]
PUBLIC = ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]


@pytest.mark.parametrize("text", INNER)
def test_inner_addresses_are_not_public(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))
    assert not may_be_sent_to(ipaddress.ip_address(text), STRICT)


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_public(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "text",
    [
        *("169.254.169.254", "fe80::1", "168.63.129.16", "224.0.0.1", "192.0.0.192"),
        *("fd00:ec2::254", "fd20:ce::254", "100.100.100.200"),
        *("::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1"),
        "2001:0:4136:e378:8000:63bf:5601:5601",  # Teredo, to 169.254.169.254
    ],
)
def test_metadata_addresses_stay_refused_where_local_ones_are_allowed(text: str) -> None:
    assert not may_be_sent_to(ipaddress.ip_address(text), LOCAL)


@pytest.mark.parametrize("text", ["127.0.0.1", "::1", "10.0.0.1", "fd12::1"])
def test_local_addresses_are_allowed_by_a_setting(text: str) -> None:
    assert may_be_sent_to(ipaddress.ip_address(text), LOCAL)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://a.example/", "https://"),
        ("ftp://a.example/", "https:// address"),
        ("https:///path", "host"),
        ("https://a.example:8443/", "port"),
        ("https://a.example:99999/", "cannot be read"),
        ("https://user:pw@a.example/", "user"),
        ("https://a.example/#part", "fragment"),
        ("https://127.0.0.1/", "not public"),
        ("https://[::ffff:10.0.0.1]/", "not public"),
        ("https://a.example/a b", "printable"),
        ("https://a.example/\r\nhost: b", "printable"),
        ("https://bücher.example/", "printable"),
    ],
)
def test_addresses_that_may_not_be_used_are_refused_at_submission(url: str, why: str) -> None:
    with pytest.raises(Invalid, match=why) as refused:
        target(Webhook(url), STRICT)
    (detail,) = refused.value.errors
    assert detail.loc == ("webhook", "url")


def test_target_has_the_origin_that_bounds_concurrency() -> None:
    hook = Webhook("https://A.example/x?y=1", ["prediction.failed"])
    assert target(hook, STRICT).origin == "https://a.example:443"
    assert target(hook, STRICT).events == ("prediction.failed",)
    assert target(Webhook("http://127.0.0.1:81/"), LOCAL).origin == "http://127.0.0.1:81"


def resolved(*answers: list[str]) -> list[str]:
    """What the guard makes of the first of these answers of a resolver."""
    left = iter(answers)

    async def resolver(host: str, port: int) -> list[str]:
        return next(left)

    return asyncio.run(addresses_of("a.example", 443, STRICT, resolver))


def test_name_is_resolved_once() -> None:
    assert resolved(["1.1.1.1"], ["127.0.0.1"]) == ["1.1.1.1"]


@pytest.mark.parametrize("answer", [["127.0.0.1"], ["1.1.1.1", "10.0.0.1"], [], ["fe80::1%lo"]])
def test_name_with_any_inner_address_is_not_sent_to(answer: list[str]) -> None:
    with pytest.raises(TargetUnreachable, match=r"a\.example"):
        resolved(answer)
