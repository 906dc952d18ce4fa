"""Ericsson IPOS and Redback SEOS."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="ericsson_ipos",
    label="Ericsson IPOS and Redback SEOS",
    netmiko_type="ericsson_ipos",
    signs=(Sign(r"^(?:Ericsson IPOS|Redback Networks) "),),
    commands=(Command(line="show configuration", filename="running.cfg", complete_when=r"^end\s*$", min_bytes=100),),
    restore=Restore(
        way="merge",
        note="Copy the file to /flash and `configure /flash/FILE`, remove by hand what is too much, look at it and "
        "`commit`, then `save configuration`.",
    ),
    verified="none",
    source="from memory of SmartEdge configurations; nothing checked on an SSR",
    enable=True,
    patience=60.0,
    volatile=(
        r"^Building configuration\.\.\.",
        r"^! Configuration last changed by ",
    ),
    secrets=(
        rf"(?P<keep>^[ \t]*snmp target .{{0,120}} security-name ){VALUE}",
        rf"(?P<keep>\bencrypted \d )(?!\(masked\)){VALUE}",
        rf"(?P<keep>\b(?:encrypted-key|encrypted-password|key) )(?!chain\b|id\b|\d+\s*$){VALUE}",
        rf"(?P<keep>^[ \t]*snmp community ){VALUE}",
        *CISCO_SECRETS,
    ),
    refusals=CISCO_REFUSALS,
    save=("save configuration",),
)
