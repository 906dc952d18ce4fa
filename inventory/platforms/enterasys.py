"""Enterasys SecureStack (A, B, C, D and G series)."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore

PLATFORM = Platform(
    slug="enterasys",
    label="Enterasys SecureStack (A, B, C, D and G series)",
    netmiko_type="enterasys",
    commands=(Command(line="show config", filename="config.cfg", complete_when=r"^end\s*$", min_bytes=60),),
    restore=Restore(
        way="file",
        note="Copy the file to configs/ and `configure configs/FILE`: the switch restarts with it. With `append` it "
        "only adds.",
    ),
    verified="none",
    source="Enterasys' fixed switching configuration guide, as remembered",
    patience=60.0,
    secrets=(
        rf"(?P<keep>^[ \t]*set system password \S+ ){VALUE}",
        rf"(?P<keep>^[ \t]*set snmp community ){VALUE}",
        rf"(?P<keep>^[ \t]*set system login \S+ \S+ \S+ (?:password )?){VALUE}",
        rf"(?P<keep>^[ \t]*set snmp user .{{0,200}}? (?:authentication|encryption) (?:md5|sha|des|aes) )"
        rf"(?!privacy ){VALUE}",
        rf"(?P<keep>^[ \t]*set (?:radius|tacacs) (?:server|accounting server) \d+ \S+ \d+ ){VALUE}",
        rf"(?P<keep>^[ \t]*set snmp user .{{0,200}}? privacy ){VALUE}",
        *CISCO_SECRETS,
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*(?:Error: |ERROR: |Invalid input)"),
    frame=(
        r"^This command shows non-default configurations only\.",
        r"^Use 'show config all' to show both default and non-default configurations\.",
    ),
    pager=(r"^ *--More-- ?",),
    save=("save config",),
)
