"""A generated EOS configuration, already in the order in which the simulated EOS prints it (a test holds that)."""

from __future__ import annotations

import random

from backups.simulator import samples


def sample(name: str, size: int, rng: random.Random) -> str:
    """A leaf switch with routing, secrets of every kind, and as many ports and access rules as fit into the size."""
    head, middle, tail = _head(name, rng), _middle(rng), _tail(name, rng)
    room = max(0, size - len(head) - len(middle) - len(tail))
    ports = samples.fill(int(room * 0.7), lambda n: _port(n, rng))
    rules = samples.fill(room - len(ports), lambda n: _rule(n, rng))
    return head + ports + middle + rules + tail


def _head(name: str, rng: random.Random) -> str:
    vlans = "".join(f"vlan {n * 10}\n   name {samples.words(rng, 1)}-{n * 10}\n!\n" for n in range(1, 9))
    return f"""no aaa root
!
transceiver qsfp default-mode 4x10G
!
service routing protocols model multi-agent
!
logging buffered 1000 informational
logging host {samples.address(rng)}
!
hostname {name}
!
ip name-server vrf default {samples.address(rng)}
dns domain example.net
!
ntp authentication-key 1 md5 7 {samples.type7(rng)}
ntp server {samples.address(rng)} prefer
ntp server {samples.address(rng)}
!
radius-server key 7 {samples.type7(rng, 10)}
!
tacacs-server key 7 {samples.type7(rng, 10)}
tacacs-server host {samples.address(rng)}
!
aaa authentication login default group tacacs+ local
aaa authorization exec default local
!
snmp-server location {samples.words(rng, 3)}
snmp-server contact noc@example.net
snmp-server community {samples.token(rng, 12)} ro
snmp-server community {samples.token(rng, 14)} rw
snmp-server host {samples.address(rng)} version 2c {samples.token(rng, 12)}
!
spanning-tree mode mstp
!
enable password sha512 {samples.sha512_crypt(rng)}
!
username admin privilege 15 role network-admin secret sha512 {samples.sha512_crypt(rng)}
username backup privilege 15 secret sha512 {samples.sha512_crypt(rng)}
!
clock timezone UTC
!
{vlans}vrf instance MGMT
!
"""


def _port(n: int, rng: random.Random) -> str:
    return f"""interface Ethernet{n + 1}
   description {samples.words(rng, 3)} {rng.randrange(1000)}
   {"shutdown" if rng.random() < 0.2 else "mtu 9214"}
   switchport access vlan {rng.randrange(1, 9) * 10}
   spanning-tree portfast
!
"""


def _middle(rng: random.Random) -> str:
    return f"""interface Loopback0
   ip address {samples.address(rng)}/32
!
interface Management1
   vrf MGMT
   ip address {samples.address(rng)}/24
!
interface Vlan10
   description users
   ip address {samples.address(rng)}/24
   ip access-group USERS-IN in
!
ip access-list USERS-IN
   5 remark generated rules
"""


def _rule(n: int, rng: random.Random) -> str:
    verdict = "deny" if rng.random() < 0.2 else "permit"
    source, target = samples.address(rng), samples.address(rng)
    return f"   {(n + 1) * 10} {verdict} tcp host {source} host {target} eq {rng.randrange(1, 60000)}\n"


def _tail(name: str, rng: random.Random) -> str:
    asn = rng.randrange(64512, 65000)
    peer, other = samples.address(rng), samples.address(rng)
    return f"""!
ip routing
!
ip prefix-list TRANSIT
   seq 10 permit 10.0.0.0/8 le 24
!
ip route 0.0.0.0/0 {samples.address(rng)}
ip route vrf MGMT 0.0.0.0/0 {samples.address(rng)}
!
route-map FROM-TRANSIT permit 10
   match ip address prefix-list TRANSIT
   set local-preference 90
!
router bgp {asn}
   router-id {samples.address(rng)}
   maximum-paths 2
   neighbor {peer} remote-as 65000
   neighbor {peer} description transit
   neighbor {peer} password 7 {samples.token(rng, 22)}==
   neighbor {other} remote-as {asn}
   !
   address-family ipv4
      neighbor {peer} activate
      neighbor {peer} route-map FROM-TRANSIT in
      neighbor {other} activate
      network 10.0.0.0/8
!
banner motd
This is {name}. Authorised staff only.
Everything that you do is recorded.
EOF
!
management api http-commands
   protocol https
!
management ssh
   idle-timeout 15
!
end
"""
