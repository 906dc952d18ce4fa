"""A generated VyOS configuration as `set` lines, in the order in which VyOS prints them (a test holds that)."""

from __future__ import annotations

import random

from backups.simulator import samples
from backups.simulator.braces import Schema

_KEYED = (
    "ethernet loopback vif wireguard peer neighbor group rule name address-family prefix-list route-map user "
    "interface community route bgp-group network-group address-group psk public-keys"
)
_SINGLE = (
    "action authorization bind-address client contact default-action description encrypted-password gateway "
    "host-name hw-id level location log maximum mtu next-hop-interface password port preshared-key private-key "
    "protocol public-key remote-as router-id secret speed system-as time-zone version duplex domain-name"
)
SCHEMA = Schema(
    top=("firewall", "high-availability", "interfaces", "nat", "policy", "protocols", "service", "system", "vpn"),
    keyed=frozenset(_KEYED.split()),
    single=frozenset(_SINGLE.split()),
    pairs=frozenset({"address", "allowed-ips", "name-server", "server", "listen-address", "network", "trap-target"}),
    sort_all=True,
    keeps_keyed=True,
)


def sample(name: str, size: int, rng: random.Random) -> str:
    """A router with a firewall, secrets of every kind, and as many firewall rules as fit into the size."""
    head, tail = _head(rng), _tail(name, rng)
    return head + samples.fill(max(0, size - len(head) - len(tail)), lambda n: _rule(n, rng)) + tail


def _head(rng: random.Random) -> str:
    return f"""set firewall group network-group MANAGERS network '{samples.address(rng)}/32'
set firewall ipv4 name WAN-IN default-action 'drop'
"""


def _rule(n: int, rng: random.Random) -> str:
    rule = f"set firewall ipv4 name WAN-IN rule {(n + 1) * 10}"
    return f"""{rule} action '{"drop" if rng.random() < 0.2 else "accept"}'
{rule} description '{samples.words(rng, 3)}'
{rule} destination port '{rng.randrange(1, 60000)}'
{rule} protocol 'tcp'
{rule} source address '{samples.address(rng)}'
"""


def _tail(name: str, rng: random.Random) -> str:
    ports = "".join(
        f"set interfaces ethernet eth{n} address '{samples.address(rng)}/24'\n"
        f"set interfaces ethernet eth{n} description '{samples.words(rng, 3)}'\n"
        for n in range(4)
    )
    peer, asn = samples.address(rng), rng.randrange(64512, 65000)
    return f"""{ports}set interfaces loopback lo
set interfaces wireguard wg0 address '{samples.address(rng)}/30'
set interfaces wireguard wg0 peer branch allowed-ips '10.0.0.0/8'
set interfaces wireguard wg0 peer branch preshared-key '{samples.token(rng, 43)}='
set interfaces wireguard wg0 peer branch public-key '{samples.token(rng, 43)}='
set interfaces wireguard wg0 private-key '{samples.token(rng, 43)}='
set protocols bgp neighbor {peer} password '{samples.token(rng, 14)}'
set protocols bgp neighbor {peer} remote-as '65000'
set protocols bgp system-as '{asn}'
set protocols static route 0.0.0.0/0 next-hop {samples.address(rng)}
set service ntp server '{samples.address(rng)}'
set service snmp community {samples.token(rng, 12)} authorization 'ro'
set service snmp contact 'noc@example.net'
set service snmp location '{samples.words(rng, 3)}'
set service ssh port '22'
set system host-name '{name}'
set system login user admin authentication encrypted-password '{samples.sha512_crypt(rng)}'
set system login user backup authentication encrypted-password '{samples.sha512_crypt(rng)}'
set system name-server '{samples.address(rng)}'
set system time-zone 'UTC'
"""
