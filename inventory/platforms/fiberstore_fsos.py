"""FS (Fiberstore) FSOS."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="fiberstore_fsos",
    label="FS (Fiberstore) FSOS",
    netmiko_type="fiberstore_fsos",
    signs=(Sign(r"^(?:FSOS|Fiberstore Co)"),),
    commands=(
        # Whether every version ends with the same line is not known: only the prompt and the size tell.
        Command(line="show running-config", filename="running.cfg", min_bytes=60),
        Command(line="show startup-config", filename="startup.cfg", optional=True),
    ),
    restore=Restore(
        way="file",
        note="`copy tftp://HOST/FILE startup-config` (or copy it over flash:/startup-config.conf) and `reboot` without "
        "saving.",
    ),
    verified="recording",
    source="An S3400-48T4SP with 2.0.2J, as published with Oxidized, read line by line; the restore from FS' CLI "
    "references, as remembered",
    enable=True,
    volatile=(r"^Building configuration\.\.\.", r"^Current configuration ?:"),
    secrets=(
        rf"(?P<keep>^[ \t]*snmp-server community )(?:\d )?{VALUE}",  # what is encrypted is told by a number
        *CISCO_SECRETS,
        rf"(?P<keep>^[ \t]*snmp-server user [^\n]{{0,160}}? auth \S+ [0-9] \S+ )(?!access\b){VALUE}",
    ),
    refusals=CISCO_REFUSALS,
    pager=(r"^ *--More-- ?",),
    ansi=True,
    save=("copy running-config startup-config",),
)
