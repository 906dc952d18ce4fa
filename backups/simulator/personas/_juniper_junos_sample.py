"""A generated Junos configuration, in the form in which the simulated Junos prints it (a test holds that)."""

from __future__ import annotations

import random

from backups.simulator import samples
from backups.simulator.braces import Schema

HIDDEN = r"(?:encrypted-password|secret|authentication-key|pre-shared-key)\b"
"""Statements that Junos marks as secret."""

_TOP = (
    "version groups apply-groups system chassis security interfaces snmp forwarding-options policy-options "
    "firewall routing-instances routing-options protocols vlans"
)
_KEYED = (
    "unit family user group neighbor policy-statement term prefix-list filter community host file area route "
    "interface address server policy proposal gateway security-zone from-zone trap-group interface-range"
)
_SINGLE = (
    "version host-name domain-name time-zone description encrypted-password uid class authentication-key "
    "secret next-hop vlan-id mtu peer-as local-address local-as type authorization contact location any "
    "message router-id autonomous-system protocol destination-port source-port import export preference metric "
    "speed full-name pre-shared-key interactive-commands root-login local-preference input output"
)
_INNER = (
    "host-name root-authentication message uid class authentication full-name user login services domain-name "
    "time-zone authentication-order name-server tacplus-server syslog ntp description mtu vlan-id filter "
    "address location contact community prefix-list policy-statement source-address protocol destination-port "
    "local-preference static router-id autonomous-system type import authentication-key export peer-as "
    "neighbor bgp ospf lldp"
)
SCHEMA = Schema(
    top=tuple(_TOP.split()),
    keyed=frozenset(_KEYED.split()),
    single=frozenset(_SINGLE.split()),
    lists=frozenset({"name-server", "members", "authentication-order"}),
    sorted_inside=frozenset({"interfaces", "vlans"}),
    inner=tuple(_INNER.split()),
    plain=frozenset({"filter input", "filter output"}),
    hidden=HIDDEN,
)


def sample(name: str, size: int, rng: random.Random) -> str:
    """A router with secrets of every kind, and as many interfaces and filter terms as fit into the size."""
    head, middle, tail = _head(name, rng), _middle(rng), _tail(rng)
    room = max(0, size - len(head) - len(middle) - len(tail))
    ports = samples.fill(int(room * 0.6), lambda n: _port(n, rng))
    terms = samples.fill(room - len(ports), lambda n: _term(n, rng))
    return head + ports + middle + terms + tail


def _head(name: str, rng: random.Random) -> str:
    return f"""version 22.4R3-S2.11;
system {{
    host-name {name};
    root-authentication {{
        encrypted-password "{samples.sha512_crypt(rng)}"; ## SECRET-DATA
    }}
    login {{
        message "Authorised staff only. Everything that you do is recorded.";
        user admin {{
            uid 2000;
            class super-user;
            authentication {{
                encrypted-password "{samples.sha512_crypt(rng)}"; ## SECRET-DATA
            }}
        }}
        user backup {{
            uid 2001;
            class read-only;
            authentication {{
                encrypted-password "{samples.md5_crypt(rng)}"; ## SECRET-DATA
            }}
        }}
    }}
    services {{
        ssh {{
            root-login deny;
        }}
        netconf {{
            ssh;
        }}
    }}
    domain-name example.net;
    time-zone UTC;
    authentication-order {{
        tacplus;
        password;
    }}
    name-server {{
        {samples.address(rng)};
        {samples.address(rng)};
    }}
    tacplus-server {{
        {samples.address(rng)} {{
            secret "$9${samples.token(rng, 24)}"; ## SECRET-DATA
        }}
    }}
    syslog {{
        host {samples.address(rng)} {{
            any warning;
        }}
        file messages {{
            any notice;
            authorization info;
        }}
    }}
    ntp {{
        server {samples.address(rng)};
        server {samples.address(rng)};
    }}
}}
interfaces {{
"""


def _port(n: int, rng: random.Random) -> str:
    return f"""    ge-{n // 480}/{n // 48 % 10}/{n % 48} {{
        description "{samples.words(rng, 3)} {rng.randrange(1000)}";
        unit 0 {{
            family inet {{
                address {samples.address(rng)}/24;
            }}
        }}
    }}
"""


def _middle(rng: random.Random) -> str:
    return f"""    lo0 {{
        unit 0 {{
            family inet {{
                filter {{
                    input PROTECT-RE;
                }}
                address {samples.address(rng)}/32;
            }}
        }}
    }}
}}
snmp {{
    location "{samples.words(rng, 3)}";
    contact noc@example.net;
    community {samples.token(rng, 12)} {{
        authorization read-only;
    }}
    community {samples.token(rng, 14)} {{
        authorization read-write;
    }}
}}
policy-options {{
    prefix-list MANAGERS {{
        10.0.0.0/8;
    }}
    policy-statement FROM-TRANSIT {{
        term default {{
            then {{
                local-preference 90;
                accept;
            }}
        }}
    }}
}}
firewall {{
    family inet {{
        filter PROTECT-RE {{
            term ssh {{
                from {{
                    source-address {{
                        10.0.0.0/8;
                    }}
                    protocol tcp;
                    destination-port 22;
                }}
                then {{
                    accept;
                }}
            }}
"""


def _term(n: int, rng: random.Random) -> str:
    return f"""            term rule-{n + 1} {{
                from {{
                    source-address {{
                        {samples.address(rng)}/32;
                    }}
                    protocol tcp;
                    destination-port {rng.randrange(1, 60000)};
                }}
                then {{
                    {"discard" if rng.random() < 0.2 else "accept"};
                }}
            }}
"""


def _tail(rng: random.Random) -> str:
    return f"""        }}
    }}
}}
routing-options {{
    static {{
        route 0.0.0.0/0 {{
            next-hop {samples.address(rng)};
        }}
    }}
    router-id {samples.address(rng)};
    autonomous-system {rng.randrange(64512, 65000)};
}}
protocols {{
    bgp {{
        group transit {{
            type external;
            import FROM-TRANSIT;
            authentication-key "$9${samples.token(rng, 30)}"; ## SECRET-DATA
            peer-as 65000;
            neighbor {samples.address(rng)} {{
                description transit;
            }}
        }}
    }}
    ospf {{
        area 0.0.0.0 {{
            interface lo0.0 {{
                passive;
            }}
            interface ge-0/0/0.0;
        }}
    }}
    lldp {{
        interface all;
    }}
}}
vlans {{
    phones {{
        vlan-id 20;
    }}
    users {{
        vlan-id 10;
    }}
}}
"""
