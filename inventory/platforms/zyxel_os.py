"""Zyxel ZyNOS switches."""

from inventory.platforms.idioms import CISCO_REFUSALS, TYPE, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="zyxel_os",
    label="Zyxel ZyNOS switches",
    netmiko_type="zyxel_os",
    signs=(Sign(r"^ *Current ZyNOS version ?: V\d"),),
    commands=(
        # ZyNOS ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show running-config", filename="running.cfg", min_bytes=60),
    ),
    restore=Restore(
        way="file",
        note="`copy tftp config 1 HOST FILE`, then `reload config 1`. A switch without a licence for its command line "
        "has no `copy`: the web pages' restore.",
    ),
    verified="none",
    source="Zyxel's Ethernet Switch CLI Reference Guide, as remembered; its head as published of an XS1930 and an "
    "XGS1930",
    comment=";",
    enable=True,
    volatile=(
        r"^[ \t]*Building configuration\.\.\.",
        r"^; Config last updated = ",
    ),
    secrets=(
        rf"(?P<keep>^[ \t]*admin-password {TYPE}){VALUE}",
        rf"(?P<keep>\b(?:get|set|trap)-community (?:cipher )?){VALUE}",
        rf"(?P<keep>\b(?:auth|priv)-password {TYPE}){VALUE}",
        rf"(?P<keep>^[ \t]*(?:radius|tacacs)-(?:server|accounting) host .{{0,200}} key {TYPE}){VALUE}",
        rf"(?P<keep>^[ \t]*logins username \S+ password {TYPE}){VALUE}",
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*(?:Invalid|Unknown|Ambiguous) (?:command|parameter|input)"),
    ansi=True,  # its prompt moves the cursor
    save=("write memory",),
)
