"""IP Infusion OcNOS."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, TYPE, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import GREETING, Sign

PLATFORM = Platform(
    slug="ipinfusion_ocnos",
    label="IP Infusion OcNOS",
    netmiko_type="ipinfusion_ocnos",
    signs=(Sign(r"^ ?Software Product: OcNOS"), Sign(r"^OcNOS version \S+OcNOS", GREETING)),
    commands=(
        Command(line="show running-config", filename="running.cfg", complete_when=r"^end\s*$", min_bytes=100),
        Command(line="show startup-config", filename="startup.cfg", complete_when=r"^end\s*$", optional=True),
    ),
    restore=Restore(
        way="merge",
        note="In `configure terminal`, paste the lines that are missing and remove by hand what is too much; look at "
        "`show transaction current`; `commit confirmed timeout 300` (6.3 and later) goes back by itself unless "
        "`confirm-commit` comes in time; then `write`.",
    ),
    verified="recording",
    source="sessions on a UfiSpace S9500-30XS with 4.2 (as published); the restore from IP Infusion's OcNOS-SP 6.3 "
    "command reference; refusals and secrets as remembered",
    enable=True,
    patience=60.0,
    volatile=(r"^! ?(?:Last configuration change at|No configuration change since) ",),
    secrets=(
        rf"(?P<keep>^[ \t]*snmp-server community (?:encrypted )?){VALUE}",
        rf"(?P<keep>^[ \t]*neighbor \S+ authentication-key {TYPE}){VALUE}",
        *CISCO_SECRETS,
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*%% "),
    save=("write",),
)
