"""ZTE ZXROS."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, TYPE, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="zte_zxros",
    label="ZTE ZXROS",
    netmiko_type="zte_zxros",
    signs=(Sign(r"ZXR(?:10|OS)|ZXCTN"),),
    commands=(
        # Whether every version ends with the same line is not known: only the prompt and the size tell.
        Command(line="show running-config", filename="running.cfg", min_bytes=100),
    ),
    restore=Restore(
        way="file",
        note="Copy the file over /flash/cfg/startrun.dat and `reload`. Pasted in configuration mode it only adds.",
    ),
    verified="recording",
    source="whole answers of two optical line terminals (as published; their lines break at 80 columns, as wide as the "
    "terminal that was asked for); switches, secrets and the restore from memory of the ZXR10 5960's manuals",
    enable=True,
    patience=60.0,
    volatile=(
        r"^Building configuration\.\.\.",
        r"^Current configuration ?:",
        r"^! ?[Cc]onfiguration (?:saved at|was loaded by|has not been saved) ",
        r"^! ?[Ll]ast configuration change at ",
    ),
    secrets=(
        rf"(?P<keep>^[ \t]+authentication ){VALUE}(?= level-)",
        rf"(?P<keep>^[ \t]*snmp-server community )(?:encrypted )?{VALUE}",
        rf"(?P<keep>^[ \t]*snmp-server host \S+ .{{0,200}}? community (?:encrypted )?){VALUE}",
        rf"(?P<keep>^[ \t]+server \d+ .{{0,200}} key {TYPE}){VALUE}",
        *CISCO_SECRETS,
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*%Error \d+"),
    pager=(r"^ *--More-- ?",),
    save=("write",),
)
