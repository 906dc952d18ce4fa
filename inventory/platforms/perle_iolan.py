"""Perle IOLAN SCG console servers."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="perle_iolan",
    label="Perle IOLAN SCG console servers",
    netmiko_type="cisco_ios",
    signs=(Sign(r"^Perle IOLAN SCG"),),
    commands=(
        Command(
            line="show running-config",
            filename="running.cfg",
            complete_when=r"^! \*{5} END of configuration \*{5}\s*$",
            min_bytes=60,
        ),
    ),
    restore=Restore(way="file", note="`copy tftp://HOST/FILE startup-config` and `reload` without saving."),
    verified="recording",
    source="an SCG50 RRU with 6.2.G3 (as published, shortened); its users' and keys' lines and the restore from memory "
    "of Perle's manuals",
    enable=True,
    volatile=(r"^Building running-config ",),
    secrets=(
        *CISCO_SECRETS,
        r"(?P<keep>^[ \t]*add community )\S+",
        r"(?P<keep>^[ \t]*set (?:ppp|slip) [^\n]{0,80}? pass )\S+",
    ),
    refusals=CISCO_REFUSALS,
    pager=(r"^ *--More-- ?",),
    save=("copy running-config startup-config",),
)
