"""Dell OS9 (Force10)."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, TYPE, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="dell_os9",
    label="Dell OS9 (Force10)",
    netmiko_type="dell_os9",
    signs=(
        Sign(r"^Dell (?:EMC )?Networking (?:Real Time )?O(?:perating System|S)"),
        Sign(r"^Dell (?:Real Time Operating System|Force10|Application Software Version)"),
    ),
    commands=(
        Command(line="show running-config", filename="running.cfg", complete_when=r"^[ \t]*end\s*$", min_bytes=100),
        Command(line="show startup-config", filename="startup.cfg", min_bytes=100, optional=True),
    ),
    restore=Restore(
        way="file",
        note="`copy scp://USER@HOST/FILE startup-config` and `reload`. Copied to running-config it only adds.",
    ),
    verified="recording",
    source="sessions on switches with 9.11 and 9.13, and a whole configuration with its end (as published); "
    "startup-config and the restore from Dell's configuration guide for the S4810, as remembered",
    enable=True,
    volatile=(
        r"^Current Configuration \.\.\.",
        r"^! Last configuration change at ",
        r"^! Startup-config last updated at ",
    ),
    secrets=(*CISCO_SECRETS, rf"(?P<keep>^(?:radius|tacacs)-server .*?\bkey {TYPE}){VALUE}"),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*% ?Error: "),
    save=("write memory",),
)
