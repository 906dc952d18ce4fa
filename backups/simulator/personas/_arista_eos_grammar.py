"""What simulated EOS accepts, and the order in which it prints it."""

from backups.simulator.indented import Grammar, Section, any_of

INTERFACE_NAMES = ("Ethernet", "Loopback", "Management", "Port-Channel", "Tunnel", "Vlan", "Vxlan")
_NEIGHBOR = "neighbor|network|redistribute|maximum-paths|aggregate-address|bgp"

SECTIONS = (
    Section(
        opener=rf"interface (?:{'|'.join(INTERFACE_NAMES)})\d[\d/.]*$",
        mode="if",
        accepts=any_of(
            "description|switchport|ip address|ip access-group|ip helper-address|ip ospf|ip virtual-router|ipv6",
            "shutdown|spanning-tree|mtu|bandwidth|speed|channel-group|load-interval|encapsulation|vrf|lldp",
            "storm-control|snmp trap|vxlan|isis|service-policy|qos|lacp|mlag|logging event|dot1x|tx-queue",
        ),
        order=(
            "description",
            "shutdown",
            "load-interval",
            "mtu",
            "speed",
            "switchport$",
            "switchport access",
            "switchport trunk",
            "switchport mode",
            "channel-group",
            "vrf",
            r"ip address .*(?<! secondary)$",
            "ip address",
            "ip",
            "ipv6",
            "storm-control",
            "spanning-tree",
        ),
        fixed=r"interface (?:Ethernet|Management)",
    ),
    Section(opener=r"vlan \d+$", mode="vlan", accepts="name|state|trunk group"),
    Section(opener=r"vrf instance \S+$", mode="vrf", accepts="rd|description"),
    Section(opener=r"router bgp \d+$", mode="router-bgp", accepts=f"router-id|timers|distance|{_NEIGHBOR}"),
    Section(
        within="router bgp",
        opener=r"address-family (?:ipv4|ipv6|evpn)(?: unicast)?$",
        mode="router-bgp-af",
        accepts=_NEIGHBOR,
    ),
    Section(
        within="router bgp",
        opener=r"vrf \S+$",
        mode="router-bgp-vrf",
        accepts=f"rd|route-target|router-id|{_NEIGHBOR}",
    ),
    Section(
        opener=r"router ospf \d+$",
        mode="router-ospf",
        accepts="router-id|network|passive-interface|area|redistribute|max-lsa|log-adjacency-changes",
    ),
    Section(
        opener=r"ip access-list (?:standard )?\S+$", mode="acl", accepts=r"\d+ (?:permit|deny|remark)", numbered=True
    ),
    Section(opener=r"route-map \S+ (?:permit|deny) \d+$", mode="route-map", accepts="match|set|description|continue"),
    Section(opener=r"ip prefix-list \S+$", mode="ip-pfx", accepts=r"seq \d+ (?:permit|deny)"),
    Section(
        opener=r"management (?:ssh|api http-commands|console|telnet|security)$",
        mode="mgmt",
        accepts="idle-timeout|authentication|protocol|shutdown|ip access-group|connection|password",
    ),
    Section(opener=r"mlag configuration$", mode="mlag", accepts="domain-id|local-interface|peer-address|peer-link"),
)

ORDER = (
    "aaa root",
    "transceiver",
    "service",
    "logging",
    "hostname",
    "ip name-server|dns|ip domain",
    "ntp",
    "radius-server",
    "tacacs-server",
    "aaa",
    "snmp-server",
    "spanning-tree",
    "system",
    "enable",
    "username",
    "clock",
    "vlan",
    "vrf instance",
    "mlag",
    "interface",
    "ip access-list",
    "ip routing",
    "ip prefix-list",
    "ip route",
    "ip",
    "route-map",
    "router bgp",
    "router ospf",
    "banner",
    "management",
)

WORDS = any_of(
    "aaa|transceiver|service|logging|hostname|ip|ipv6|dns|ntp|radius-server|tacacs-server|snmp-server|spanning-tree",
    "system|enable|username|clock|banner|lldp|lacp|daemon|event-handler|alias|queue-monitor|sflow|errdisable|boot",
)

SINGLE = any_of(
    r"hostname|description|name|enable (?:secret|password)|username \S+|banner \w+|clock timezone|aaa root",
    r"ip (?:domain-name|routing)|dns domain|logging (?:buffered|console|source-interface)|shutdown|mtu|speed",
    r"switchport (?:access vlan|mode|trunk (?:allowed|native) vlan)|switchport|ip address(?!.* secondary$)",
    r"ip access-group \S+|load-interval|channel-group|vrf|bandwidth|router-id|rd|idle-timeout|transceiver qsfp \S+",
    r"spanning-tree (?:mode|portfast|bpduguard)|snmp-server (?:location|contact)|snmp-server community \S+",
    r"ntp (?:source|local-interface|authentication-key \d+)|tacacs-server key|radius-server key",
    r"neighbor \S+ (?:remote-as|description|password|update-source|peer group|maximum-routes)",
    r"neighbor \S+ route-map \S+ (?:in|out)|set local-preference|domain-id|local-interface|peer-address|peer-link",
    r"\d+(?= (?:permit|deny|remark))|seq \d+|service routing protocols model",
)

SHOWN_WHEN_OFF = r"aaa root$|switchport$|ip routing$"

GRAMMAR = Grammar(
    words=WORDS,
    sections=SECTIONS,
    order=ORDER,
    single=SINGLE,
    shown_when_off=SHOWN_WHEN_OFF,
    indent=3,
    banner_end="EOF",
)
