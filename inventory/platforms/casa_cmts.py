"""Casa Systems CMTS."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, TYPE, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="casa_cmts",
    label="Casa Systems CMTS",
    netmiko_type="casa_cmts",
    signs=(Sign(r"CASA|Casa Systems"),),
    commands=(
        # Whether every version ends with the same line is not known: only the prompt and the size tell.
        Command(line="show running-config", filename="running.cfg", min_bytes=100),
    ),
    restore=Restore(
        way="merge",
        note="Paste it in `configure`, remove by hand what is too much, and `copy running-config startup-config`.",
    ),
    verified="none",
    source="from memory",
    enable=True,
    patience=60.0,
    secrets=(
        rf"(?P<keep>^[ \t]*snmp community ){VALUE}",
        rf"(?P<keep>^[ \t]*snmp comm-tbl \S+ ){VALUE}",
        rf"(?P<keep>^[ \t]*(?:console-)?password {TYPE}){VALUE}",
        rf"(?P<keep>^[ \t]*cable shared-secret {TYPE}){VALUE}",
        *CISCO_SECRETS,
    ),
    refusals=CISCO_REFUSALS,
    ansi=True,
    save=("copy running-config startup-config",),
)
