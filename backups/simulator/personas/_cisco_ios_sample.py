"""A generated IOS configuration, already in the order in which IOS prints it (a test holds that)."""

from __future__ import annotations

import random

from backups.simulator import samples

PORTS_PER_UNIT = 48


def sample(name: str, size: int, rng: random.Random) -> str:
    """An access switch with routing, secrets of every kind, and as many ports and access rules as fit into the size."""
    head, middle, tail = _head(name, rng), _middle(rng), _tail(name, rng)
    room = max(0, size - len(head) - len(middle) - len(tail))
    ports = samples.fill(int(room * 0.7), lambda n: _port(n, rng))
    rules = samples.fill(room - len(ports), lambda n: _rule(n, rng))
    return head + ports + middle + rules + tail


def _head(name: str, rng: random.Random) -> str:
    vlans = "".join(f"vlan {n * 10}\n name {samples.words(rng, 1)}-{n * 10}\n!\n" for n in range(1, 9))
    return f"""version 17.9
!
service timestamps debug datetime msec localtime show-timezone
service timestamps log datetime msec localtime show-timezone
service password-encryption
!
hostname {name}
!
vrf definition Mgmt-vrf
 !
 address-family ipv4
 exit-address-family
 !
 address-family ipv6
 exit-address-family
!
logging buffered 65536 informational
no logging console
!
enable secret 9 {samples.scrypt(rng)}
!
aaa new-model
aaa authentication login default group tacacs+ local
aaa authorization exec default group tacacs+ if-authenticated
aaa session-id common
!
clock timezone UTC 0 0
!
ip name-server {samples.address(rng)} {samples.address(rng)}
no ip domain lookup
ip domain name example.net
!
vtp domain example
vtp mode transparent
!
key chain OSPF-KEYS
 !
 key 1
  key-string 7 {samples.type7(rng)}
!
archive
 path flash:archive
 maximum 5
 write-memory
 !
 log config
  logging enable
  hidekeys
!
spanning-tree mode rapid-pvst
spanning-tree portfast bpduguard default
spanning-tree extend system-id
!
errdisable recovery cause bpduguard
errdisable recovery interval 300
!
username admin privilege 15 secret 9 {samples.scrypt(rng)}
username backup privilege 15 secret 5 {samples.md5_crypt(rng)}
username legacy password 7 {samples.type7(rng)}
!
{vlans}crypto isakmp policy 10
 encr aes 256
 hash sha256
 authentication pre-share
 group 14
!
crypto isakmp key {samples.token(rng, 16)} address {samples.address(rng)}
!
interface GigabitEthernet0/0
 vrf forwarding Mgmt-vrf
 ip address {samples.address(rng)} 255.255.255.0
 negotiation auto
!
"""


def _port(n: int, rng: random.Random) -> str:
    unit, port = n // PORTS_PER_UNIT + 1, n % PORTS_PER_UNIT + 1
    return f"""interface GigabitEthernet{unit}/0/{port}
 description {samples.words(rng, 3)} {rng.randrange(1000)}
 switchport access vlan {rng.randrange(1, 9) * 10}
 switchport mode access
 {"shutdown" if rng.random() < 0.2 else "storm-control broadcast level 1.00"}
 spanning-tree portfast
!
"""


def _middle(rng: random.Random) -> str:
    asn = rng.randrange(64512, 65000)
    peer, other = samples.address(rng), samples.address(rng)
    return f"""interface Loopback0
 ip address {samples.address(rng)} 255.255.255.255
!
interface TenGigabitEthernet1/1/1
 description uplink to {samples.words(rng, 1)}
 switchport trunk allowed vlan 10,20,30,40,50,60,70,80
 switchport mode trunk
!
interface Vlan1
 no ip address
 shutdown
!
interface Vlan10
 description users
 ip address {samples.address(rng)} 255.255.255.0
 ip access-group USERS-IN in
 ip helper-address {samples.address(rng)}
!
router bgp {asn}
 bgp router-id {samples.address(rng)}
 bgp log-neighbor-changes
 neighbor {peer} remote-as 65000
 neighbor {peer} description transit
 neighbor {peer} password 7 {samples.type7(rng)}
 neighbor {other} remote-as {asn}
 !
 address-family ipv4
  network {samples.address(rng)} mask 255.255.255.0
  neighbor {peer} activate
  neighbor {peer} route-map FROM-TRANSIT in
  neighbor {other} activate
  maximum-paths 2
 exit-address-family
!
ip forward-protocol nd
no ip http server
ip http secure-server
!
ip ssh version 2
ip scp server enable
!
ip route 0.0.0.0 0.0.0.0 {samples.address(rng)}
ip route vrf Mgmt-vrf 0.0.0.0 0.0.0.0 {samples.address(rng)}
!
ip access-list extended USERS-IN
 5 remark generated rules
"""


def _rule(n: int, rng: random.Random) -> str:
    verdict = "deny  " if rng.random() < 0.2 else "permit"
    source, target = samples.address(rng), samples.address(rng)
    return f" {(n + 1) * 10} {verdict} tcp host {source} host {target} eq {rng.randrange(1, 60000)}\n"


def _tail(name: str, rng: random.Random) -> str:
    return f"""!
ip access-list standard SNMP-MANAGERS
 10 permit 10.0.0.0 0.255.255.255
 20 deny any
!
logging source-interface Loopback0
logging host {samples.address(rng)}
!
route-map FROM-TRANSIT permit 10
 match ip address prefix-list TRANSIT
 set local-preference 90
!
snmp-server community {samples.token(rng, 12)} RO SNMP-MANAGERS
snmp-server community {samples.token(rng, 14)} RW SNMP-MANAGERS
snmp-server location {samples.words(rng, 3)}
snmp-server contact noc@example.net
snmp-server host {samples.address(rng)} version 2c {samples.token(rng, 12)}
!
tacacs server TAC-1
 address ipv4 {samples.address(rng)}
 key 7 {samples.type7(rng, 10)}
!
radius server RAD-1
 address ipv4 {samples.address(rng)} auth-port 1812 acct-port 1813
 key 7 {samples.type7(rng, 10)}
!
control-plane
!
banner motd ^C
This is {name}. Authorised staff only.
Everything that you do is recorded.
^C
!
line con 0
 exec-timeout 10 0
 logging synchronous
!
line vty 0 4
 exec-timeout 15 0
 password 7 {samples.type7(rng)}
 transport input ssh
!
line vty 5 15
 transport input ssh
!
ntp server {samples.address(rng)} prefer
ntp server {samples.address(rng)}
!
end
"""
