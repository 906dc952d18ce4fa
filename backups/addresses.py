"""Which addresses may be connected to. Device addresses are typed in by tenants, and this program stands inside.

Nobody is to reach its own services, its database or a cloud's metadata (link-local) by calling them a device.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class AddressRule:
    """What is refused. Asked for each address that is then connected to, never for a name that may move on."""

    local: bool = True  # this machine and its link may be reached: simulators, tests, one's own desk
    never: frozenset[tuple[str, int]] = frozenset()  # address and port of what is ours

    def problem(self, text: str, port: int) -> str:  # noqa: PLR0911 - one return for each kind of address
        """Why an address cannot be a device's; empty where it can, and for a name, which is no address yet."""
        try:
            address = plain(ipaddress.ip_address(text.partition("%")[0]))
        except ValueError:
            names = ("localhost", "localhost.", "ip6-localhost")
            return "names this machine itself" if not self.local and text.lower() in names else ""
        if (str(address), port) in self.never:
            return "is where Netcairn's own database listens"
        if address.is_multicast:
            return "is a multicast address"
        if address.is_unspecified or str(address) == "255.255.255.255":
            return "is no address of anything"
        if self.local:
            return ""
        if address.is_loopback:
            return "is this machine itself"
        return "is a link-local address" if address.is_link_local else ""


ANYWHERE = AddressRule()


def plain(address: Address) -> Address:
    """An IPv4 address that is written as IPv6, as what it is."""
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or address.sixtofour or address
    return address
