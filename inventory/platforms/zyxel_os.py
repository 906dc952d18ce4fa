"""Zyxel ZyNOS switches."""

from inventory.platforms.idioms import CISCO_REFUSALS, TYPE, VALUE
from inventory.platforms.sheet import Command, Platform, Restore

PLATFORM = Platform(
    slug="zyxel_os",
    label="Zyxel ZyNOS switches",
    netmiko_type="zyxel_os",
    commands=(
        # ZyNOS ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show running-config", filename="running.cfg", min_bytes=60),
    ),
    restore=Restore(
        way="file",
        note="`copy tftp config 1 HOST FILE` (or the web pages' restore), then `reload config 1`.",
    ),
    verified="none",
    source="Zyxel's Ethernet Switch CLI Reference Guide, as remembered; the header's lines not checked",
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
