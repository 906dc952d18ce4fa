"""APC Network Management Card (AOS)."""

from inventory.platforms.sheet import Platform, RemoteFile, Restore
from inventory.platforms.signs import GREETING, Sign

PLATFORM = Platform(
    slug="apc_aos",
    label="APC Network Management Card (AOS)",
    netmiko_type="apc_aos",
    signs=(Sign(r"^(?:Schneider Electric|American Power Conversion) +Network Management Card AOS +v\d", GREETING),),
    files=(RemoteFile(path="config.ini", filename="config.ini", optional=False),),
    restore=Restore(
        way="file",
        note="Put config.ini back by SCP or FTP as a user of the administrator's level: the card takes it key by key. "
        "Passwords are not in the file, and stay as they are on the card.",
    ),
    verified="recording",
    source="the config.ini of a card with AOS 2.5.0.8 (as published); the rest from Schneider Electric's user "
    "guide, as remembered. Cards before the third offer SCP only and cannot be collected",
    comment=";",
    volatile=(r"^; Configuration file, generated on ",),
    secrets=(
        r"(?P<keep>^[ \t]*\w{0,40}(?:Community|Passphrase|Phrase|Secret|Password|Pwd)(?:Name)?\d{0,2}[ \t]?=[ \t]?)"
        r"\S.*$",
        # the same as commands
        r"(?P<keep>^[ \t]*snmpv3 (?:.{0,200} )?-a\d )\S+",
        r"(?P<keep>^[ \t]*snmpv3 (?:.{0,200} )?-c\d )\S+",
        r"(?P<keep>^[ \t]*(?:snmp (?:.{0,200} )?-c\d|radius (?:.{0,200} )?-s\d) )\S+",
    ),
)
