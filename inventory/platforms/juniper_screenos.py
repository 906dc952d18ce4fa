"""Juniper ScreenOS."""

from inventory.platforms.idioms import VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import SSH, Sign

PLATFORM = Platform(
    slug="juniper_screenos",
    label="Juniper ScreenOS",
    netmiko_type="juniper_screenos",
    signs=(
        Sign(r"^NetScreen", SSH),
        Sign(r"^Product Name: .{0,60}\n(?s:.){0,400}^Software Version: ", "get system"),
    ),
    commands=(
        # ScreenOS ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="get config", filename="config.cfg", min_bytes=100),
    ),
    restore=Restore(
        way="file",
        note="`save config from tftp HOST FILE to flash`, then `reset` without saving what runs.",
    ),
    verified="recording",
    source="the beginning and the prompts of a session on an ISG1000, and the file of an SSG 5 (as published); the "
    "pager, refusals and the restore from Juniper's ScreenOS CLI reference guide, as remembered",
    comment="#",
    volatile=(r"^Total Config size \d+:",),
    secrets=(
        rf"(?P<keep>^[ \t]*set snmp host ){VALUE}",
        r"(?P<keep>^[ \t]*set (?:admin|user|xauth|auth-server|ike|pppoe|l2tp|vrouter|interface|snmpv3|nsmgmt|ppp)"
        r"\b.{0,200}?"
        rf" (?:(?:hash-|auth-|priv-)?password|(?:shared-)?secret|(?:seed-)?preshare|md5) )(?!group[0-9]){VALUE}",
        rf"(?P<keep>^[ \t]*set snmp community ){VALUE}",
        rf"(?P<keep>^[ \t]*set (?:key|password) )(?!protection ){VALUE}",
        rf"(?P<keep>^[ \t]*set .{{0,200}} authentication (?:password|md5) )(?!group[0-9]){VALUE}",
    ),
    refusals=(r"^[ \t]*\^-+", r"^[ \t]*(?:unknown keyword|Command failed)"),
    pager=(r"^ *--- more --- ?",),
)
