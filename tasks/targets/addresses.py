"""Which IP addresses events may be sent to, in whatever form they are written."""

import ipaddress

from tasks.settings import Settings

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SITE_LOCAL = ipaddress.ip_network("fec0::/10")
"""The deprecated site-local addresses of IPv6, which Python takes for public ones."""
_OF_CLOUDS = tuple(
    map(
        ipaddress.ip_network,
        ("168.63.129.16/32", "192.0.0.0/24", "fd00:ec2::254/128", "fd20:ce::254/128"),
    )
)
"""Where machines find the services of their host, beside link-local addresses: Azure, Oracle,
Amazon, Google. The first two look public, the others private."""


def literal_address(host: str) -> IpAddress | None:
    """The IP address that a host is written as; None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def may_be_sent_to(address: IpAddress, settings: Settings) -> bool:
    """Whether events may go to an address: a public one, or a local one if that is allowed.

    Never to link-local addresses, where clouds give out credentials to their machines.
    """
    if (inner := _embedded(address)) is not None:
        return may_be_sent_to(inner, settings)
    if is_public(address):
        return True
    is_local = address.is_loopback or (address.is_private and not _is_special(address))
    return settings.webhooks_allow_local and is_local


def is_public(address: IpAddress) -> bool:
    """Whether an address is one of the public Internet, in whatever form it is written."""
    inner = _embedded(address)
    if inner is not None:
        return is_public(inner)
    return address.is_global and not _is_special(address)


def _is_special(address: IpAddress) -> bool:
    is_internal = address.is_link_local or address.is_unspecified or address in _SITE_LOCAL
    is_of_cloud = any(address in network for network in _OF_CLOUDS)
    return is_internal or is_of_cloud or address.is_multicast or address.is_reserved


def _embedded(address: IpAddress) -> ipaddress.IPv4Address | None:
    """The IPv4 address inside an IPv6 one, which a gateway or the kernel would connect to."""
    if address.version == 4:
        return None
    teredo = address.teredo[1] if address.teredo else None
    nat64 = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
    return address.ipv4_mapped or address.sixtofour or teredo or nat64
