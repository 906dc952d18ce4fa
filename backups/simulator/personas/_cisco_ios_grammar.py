"""What simulated IOS accepts, and the order in which it prints it."""

from backups.simulator.indented import Grammar, Section, any_of

INTERFACE_NAMES = (
    "GigabitEthernet",
    "TenGigabitEthernet",
    "FastEthernet",
    "Loopback",
    "Port-channel",
    "Tunnel",
    "Vlan",
)
PHYSICAL = r"interface (?:Gigabit|TenGigabit|Fast)Ethernet"

_INTERFACE = Section(
    opener=rf"interface (?:{'|'.join(INTERFACE_NAMES)})\d[\d/.]*$",
    mode="if",
    accepts=any_of(
        "description|switchport|ip address|ip access-group|ip helper-address|ip ospf|ip nat|ip mtu|ip proxy-arp",
        "ip redirects|ip verify|ip vrf forwarding|vrf forwarding|ipv6 address|ipv6 enable|shutdown|spanning-tree|mtu",
        "bandwidth|speed|duplex|channel-group|service-policy|storm-control|load-interval|negotiation|encapsulation",
        "standby|cdp enable|lldp|snmp trap|power inline|udld|logging event|authentication|dot1x|mab|tunnel|keepalive",
    ),
    order=(
        "description",
        "switchport access",
        "switchport trunk",
        "switchport mode",
        "switchport",
        "vrf",
        "ip vrf",
        "encapsulation",
        r"ip address .*(?<! secondary)$",
        "ip address",
        "ip",
        "ipv6",
        "load-interval",
        "shutdown",
        "power",
        "speed",
        "duplex",
        "mtu",
        "storm-control",
        "channel-group",
        "spanning-tree",
        "service-policy",
    ),
    fixed=PHYSICAL,
)

_NEIGHBOR = r"neighbor|network|redistribute|maximum-paths|timers|aggregate-address|distance|default-information"

SECTIONS = (
    _INTERFACE,
    Section(opener=r"vlan \d+$", mode="vlan", accepts="name|state|remote-span"),
    Section(opener=r"vrf definition \S+$", mode="vrf", accepts="rd|route-target|description"),
    Section(
        within="vrf definition",
        opener="address-family ipv[46]$",
        mode="vrf-af",
        accepts="route-target",
        closing="exit-address-family",
    ),
    Section(opener=r"router bgp \d+$", mode="router", accepts=f"bgp|{_NEIGHBOR}"),
    Section(
        within="router bgp",
        opener=r"address-family (?:ipv4|ipv6|vpnv4)(?: \S+)*$",
        mode="router-af",
        accepts=_NEIGHBOR,
        closing="exit-address-family",
    ),
    Section(
        opener=r"router ospf \d+$",
        mode="router",
        accepts="router-id|network|passive-interface|area|default-information|auto-cost|log-adjacency-changes|redistribute",
    ),
    Section(
        opener=r"ip access-list extended \S+$", mode="ext-nacl", accepts=r"\d+ (?:permit|deny|remark)", numbered=True
    ),
    Section(
        opener=r"ip access-list standard \S+$", mode="std-nacl", accepts=r"\d+ (?:permit|deny|remark)", numbered=True
    ),
    Section(opener=r"route-map \S+ (?:permit|deny) \d+$", mode="route-map", accepts="match|set|description|continue"),
    Section(
        opener=r"line (?:con|vty|aux) [\d ]+$",
        mode="line",
        accepts=any_of(
            "exec-timeout|password|login|transport|access-class|logging synchronous|length|stopbits|privilege",
            "session-timeout",
        ),
    ),
    Section(opener=r"class-map (?:match-any |match-all )?\S+$", mode="cmap", accepts="match|description"),
    Section(opener=r"policy-map \S+$", mode="pmap", accepts="description"),
    Section(
        within="policy-map",
        opener=r"class \S+$",
        mode="pmap-c",
        accepts="bandwidth|priority|police|set|queue-limit|fair-queue",
    ),
    Section(opener="archive$", mode="archive", accepts="path|maximum|write-memory|time-period"),
    Section(within="archive", opener="log config$", mode="archive-log-cfg", accepts="logging|hidekeys|notify"),
    Section(opener=r"tacacs server \S+$", mode="server-tacacs", accepts="address|key|timeout|single-connection"),
    Section(opener=r"radius server \S+$", mode="radius-server", accepts="address|key|timeout|retransmit"),
    Section(opener=r"key chain \S+$", mode="keychain", accepts="description"),
    Section(
        within="key chain", opener=r"key \d+$", mode="keychain-key", accepts="key-string|accept-lifetime|send-lifetime"
    ),
    Section(
        opener=r"ip dhcp pool \S+$", mode="dhcp", accepts="network|default-router|dns-server|domain-name|lease|option"
    ),
    Section(
        opener=r"crypto isakmp policy \d+$", mode="isakmp", accepts="encr|hash|authentication|group|lifetime|encryption"
    ),
    Section(opener="control-plane$", mode="cp", accepts="service-policy"),
)

ORDER = (
    "version",
    "service",
    "hostname",
    "boot",
    "vrf definition",
    "logging buffered|logging console|logging monitor",
    "enable",
    "aaa",
    "clock",
    "switch ",
    "ip name-server|ip domain",
    "ip dhcp excluded",
    "ip dhcp pool",
    "login",
    "vtp",
    "key chain",
    "archive",
    "spanning-tree",
    "errdisable",
    "username",
    "vlan",
    "class-map",
    "policy-map",
    "crypto isakmp policy",
    "crypto isakmp key",
    "crypto",
    "interface",
    "router",
    "ip forward-protocol|ip http",
    "ip ssh|ip scp|ip tftp|ip ftp",
    "ip route",
    "ip access-list",
    "ip prefix-list",
    "logging",
    "route-map",
    "snmp-server",
    "tacacs",
    "radius",
    "control-plane",
    "banner",
    "alias",
    "line",
    "ntp",
)

WORDS = (
    "version|service|hostname|boot|logging|enable|aaa|clock|switch|ip|ipv6|login|vtp|spanning-tree|errdisable|username|crypto"
    "|snmp-server|banner|alias|ntp|cdp|lldp|access-list|default-router|mls|privilege|tacacs-server|radius-server|system|license"
)

# The longest first: of two keys that fit, the first counts.
SINGLE = any_of(
    r"hostname|version|description|name|enable (?:secret|password)|username \S+|banner \w+",
    r"clock (?:timezone|summer-time)|ip domain (?:name|lookup)|ip default-gateway|ip http (?:secure-)?server",
    r"ip ssh version|logging (?:buffered|console|monitor|source-interface)",
    r"switchport (?:access vlan|mode|voice vlan|trunk (?:allowed|native) vlan)",
    r"ip address(?!.* secondary$)|ip access-group \S+|ip mtu|mtu|vrf forwarding|encapsulation|channel-group|shutdown",
    r"bandwidth|speed|duplex|load-interval|storm-control \S+ level|tunnel (?:source|destination|mode|key)",
    r"spanning-tree (?:mode|portfast|bpduguard)|vtp (?:mode|domain|version|password)",
    r"snmp-server (?:location|contact|chassis-id)|snmp-server community \S+|ntp (?:source|clock-period)",
    r"router-id|bgp router-id|neighbor \S+ (?:remote-as|description|password|update-source)",
    r"neighbor \S+ (?:prefix-list|route-map) \S+ (?:in|out)|set local-preference|match ip address|rd",
    r"path|maximum|exec-timeout|password|transport (?:input|output|preferred)|key|key-string|address ipv4",
    r"\d+(?= (?:permit|deny|remark))",
)
SHOWN_WHEN_OFF = any_of(
    r"ip address$|ip http (?:secure-)?server$|ip domain lookup$|logging console$",
    r"ip redirects$|ip proxy-arp$|cdp enable$",
)

GRAMMAR = Grammar(words=WORDS, sections=SECTIONS, order=ORDER, single=SINGLE, shown_when_off=SHOWN_WHEN_OFF)
