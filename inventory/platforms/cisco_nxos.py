"""Cisco NX-OS."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, TYPE, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="cisco_nxos",
    label="Cisco NX-OS",
    netmiko_type="cisco_nxos",
    signs=(Sign(r"Cisco Nexus Operating System|^NXOS: version|^ +(?:kickstart|system): +version \d"),),
    commands=(
        # NX-OS ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show running-config", filename="running.cfg", min_bytes=100),
        Command(line="show startup-config", filename="startup.cfg", min_bytes=100, optional=True),
    ),
    restore=Restore(
        way="replace",
        note="Copy the file to bootflash: and `configure replace bootflash:FILE commit-timeout 300`, then `configure "
        "replace commit`; the switch rolls back by itself when an error or the time-out comes first.",
    ),
    verified="recording",
    source="NX-OS 7.3 on a Nexus 5548; startup-config and the restore from Cisco's configuration guides",
    patience=60.0,
    volatile=(
        r"^!Time: ",
        r"^!Running configuration last done at: ",
        r"^!Startup config saved at: ",
        r"^!No configuration change since last restart",
    ),
    secrets=(
        *CISCO_SECRETS,
        rf"(?P<keep>^[ \t]*(?:feature-)?vpc\b.* key {TYPE}){VALUE}",
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*No startup configuration"),
    save=("copy running-config startup-config",),
)
