"""Cisco IOS-XR."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="cisco_xr",
    label="Cisco IOS-XR",
    netmiko_type="cisco_xr",
    signs=(Sign(r"Cisco IOS XR Software"),),
    commands=(Command(line="show running-config", filename="running.cfg", complete_when=r"^end\s*$", min_bytes=100),),
    restore=Restore(
        way="candidate",
        note="Copy the file to harddisk:; in `configure`: `load harddisk:/FILE`, `show commit changes diff`, `commit "
        "replace`; `rollback configuration last 1` goes back. `commit confirmed` goes back by itself.",
    ),
    verified="none",
    source="Cisco's configuration fundamentals guide for IOS-XR, as remembered; held against no device",
    patience=60.0,
    volatile=(
        r"^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} +\d+ [0-9:.]+ ",  # the time of asking, before every answer
        r"^Building configuration\.\.\.",
        r"^!! Last configuration change at ",
    ),
    secrets=(*CISCO_SECRETS, rf"(?P<keep>^snmp-server community (?:clear|encrypted) ){VALUE}"),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*% ?(?:This command is not authorized|No such configuration item)"),
)
