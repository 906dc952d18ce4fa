"""A generated RouterOS configuration, in the form of an export with secrets (a test holds that)."""

from __future__ import annotations

import random

from backups.simulator import samples
from backups.simulator.routeros import fold


def sample(name: str, size: int, rng: random.Random) -> str:
    """A branch router with secrets of every kind, and as many addresses and firewall rules as fit into the size."""
    head, middle, tail = _head(rng), _middle(rng), _tail(name, rng)
    room = max(0, size - len(head) - len(middle) - len(tail))
    addresses = samples.fill(int(room * 0.4), lambda n: _address(n, rng))
    rules = samples.fill(room - len(addresses), lambda _: _rule(rng))
    return head + addresses + middle + rules + tail


def _lines(*lines: str) -> str:
    return "".join(f"{fold(line)}\n" for line in lines)


def _head(rng: random.Random) -> str:
    return _lines(
        "/interface bridge",
        "add name=bridge1 vlan-filtering=yes",
        "/interface ethernet",
        *(f'set [ find default-name=ether{n} ] comment="{samples.words(rng, 2)}"' for n in range(1, 9)),
        "/interface vlan",
        *(f"add interface=bridge1 name=vlan{n * 10} vlan-id={n * 10}" for n in range(1, 9)),
        "/interface wireguard",
        f'add listen-port=13231 mtu=1420 name=wg1 private-key="{samples.token(rng, 43)}="',
        "/interface wireless security-profiles",
        f"set [ find default=yes ] supplicant-identity=MikroTik wpa2-pre-shared-key={samples.token(rng, 16)}",
        "/ip address",
    )


def _address(n: int, rng: random.Random) -> str:
    where = f"vlan{n % 8 * 10 + 10}"
    return _lines(f'add address={samples.address(rng)}/24 comment="{samples.words(rng, 3)}" interface={where}')


def _middle(rng: random.Random) -> str:
    return _lines("/ip dns", f"set servers={samples.address(rng)},{samples.address(rng)}", "/ip firewall filter")


def _rule(rng: random.Random) -> str:
    verdict = "drop" if rng.random() < 0.2 else "accept"
    source, target = samples.address(rng), samples.address(rng)
    return _lines(
        f'add action={verdict} chain=forward comment="{samples.words(rng, 3)}" dst-address={target} '
        f"dst-port={rng.randrange(1, 60000)} protocol=tcp src-address={source}"
    )


def _tail(name: str, rng: random.Random) -> str:
    return _lines(
        "/ip route",
        f"add dst-address=0.0.0.0/0 gateway={samples.address(rng)}",
        "/ip service",
        "set telnet disabled=yes",
        "/ppp secret",
        f"add name=branch1 password={samples.token(rng, 12)} service=l2tp",
        "/radius",
        f"add address={samples.address(rng)} secret={samples.token(rng, 14)} service=login",
        "/routing bgp connection",
        f"add as={rng.randrange(64512, 65000)} name=transit remote.address={samples.address(rng)} tcp-md5-key=x",
        "/snmp",
        "set contact=noc@example.net enabled=yes",
        "/snmp community",
        f"add addresses=10.0.0.0/8 authentication-password={samples.token(rng, 12)} name={samples.token(rng, 12)}",
        "/system clock",
        "set time-zone-name=UTC",
        "/system identity",
        f"set name={name}",
        "/system logging action",
        f"add name=syslog remote={samples.address(rng)} target=remote",
        "/system ntp client servers",
        f"add address={samples.address(rng)}",
        f"add address={samples.address(rng)}",
    )
