"""Ruijie RGOS."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="ruijie_os",
    label="Ruijie RGOS",
    netmiko_type="ruijie_os",
    signs=(Sign(r"^System description +: (?:Ruijie|RG-)|RGOS"),),
    commands=(
        Command(line="show running-config", filename="running.cfg", complete_when=r"^end\s*$", min_bytes=100),
        Command(line="show startup-config", filename="startup.cfg", complete_when=r"^end\s*$", optional=True),
    ),
    restore=Restore(
        way="file",
        note="Copy the file over flash:config.text (`copy tftp://HOST/FILE flash:config.text`) and `reload`.",
    ),
    verified="recording",
    source="a session on a stack of three with RGOS 10.4 (as published); the pager, startup-config, refusals and the "
    "restore from Ruijie's RGOS command references, as remembered",
    enable=True,
    patience=60.0,
    volatile=(r"^Building configuration\.\.\.", r"^Current configuration ?: \d+ bytes"),
    secrets=(
        rf"(?P<keep>^[ \t]*snmp-server community )(?:\d )?{VALUE}",  # what is encrypted is told by a number
        rf"(?P<keep>^[ \t]+credential \S+ ){VALUE}",  # of an access point
        *CISCO_SECRETS,
    ),
    refusals=CISCO_REFUSALS,
    pager=(r"^ *--More-- ?",),
    save=("write",),
)
