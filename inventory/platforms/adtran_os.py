"""Adtran AOS."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="adtran_os",
    label="Adtran AOS",
    netmiko_type="adtran_os",
    signs=(Sign(r"^(?:ADTRAN, Inc|NetVanta|Platform: .{0,40}NetVanta)"),),
    commands=(
        Command(line="show running-config", filename="running.cfg", complete_when=r"^end\s*$", min_bytes=100),
        Command(line="show startup-config", filename="startup.cfg", complete_when=r"^end\s*$", optional=True),
    ),
    restore=Restore(
        way="file",
        note="`copy tftp startup-config` (or copy the file to flash and `copy flash FILE startup-config`), then "
        "`reload`. Pasted it only adds.",
    ),
    verified="recording",
    source="running-config, startup-config and prompt of a NetVanta 3200 with 05.03 (as published with ZipTie); later "
    "versions, refusals and the restore from Adtran's AOS Command Reference Guide, as remembered",
    enable=True,
    volatile=(r"^Building configuration\.\.\.", r"^Using \d+ bytes"),
    secrets=(
        rf"(?P<keep>^[ \t]*credential \S+ ){VALUE}",
        rf"(?P<keep>^[ \t]*(?:enable|username \S+) password (?:md5 |sha1 )?encrypted (?:sha1 |md5 )?){VALUE}",
        *CISCO_SECRETS,
        rf"(?P<keep>^[ \t]*ppp (?:chap password|pap sent-username \S+ password) (?:encrypted )?){VALUE}",
    ),
    refusals=CISCO_REFUSALS,
    ansi=True,
    save=("copy running-config startup-config",),
)
