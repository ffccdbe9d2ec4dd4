"""Checks of addresses: API and Flower, which have no login by default, listen on loopback only."""

from functools import partial
from ipaddress import ip_address
from urllib.parse import urlsplit

import psutil

from cli.doctor.finding import Check, Observation, listed
from stack.running import RunningStack

_ADDRESSES = "docs/operations.md#names-of-the-server"


def address_checks(stack: RunningStack) -> list[Check]:
    """Checks of the addresses of a running stack."""
    urls = {"address of API": stack.url, "address of Flower": stack.flower_url}
    return [Check(name, _ADDRESSES, partial(_address, url)) for name, url in urls.items() if url]


def _address(url: str) -> Observation:
    port = urlsplit(url).port
    found = {
        each.laddr.ip
        for each in psutil.net_connections("tcp")
        if each.status == psutil.CONN_LISTEN and each.laddr.port == port
    }
    if not found:
        remedy = "Read the logs in the home: the process has ended, or is being restarted."
        return Observation("fail", f"nothing listens on port {port}", remedy)
    if public := sorted(ip for ip in found if not ip_address(ip).is_loopback):
        remedy = "Have it listen on 127.0.0.1 only, behind a proxy that asks for a login."
        return Observation("fail", f"port {port} is open on {listed(public)}", remedy)
    return Observation("pass", f"{listed(sorted(found))}, port {port}")
