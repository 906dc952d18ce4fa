"""Cisco Small Business (SG, CBS, Catalyst 1200 and 1300)."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, TYPE, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="cisco_s300",
    label="Cisco Small Business (SG, CBS, Catalyst 1200 and 1300)",
    netmiko_type="cisco_s300",
    signs=(
        Sign(r"^ ?Active-image: flash://system/images/image_"),
        Sign(r"^ ?Active-image: flash://system/images/(?!mes\d)", sure=False),  # Eltex' says the same of its own
    ),
    commands=(
        # They end with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show running-config", filename="running.cfg", min_bytes=100),
        Command(line="show startup-config", filename="startup.cfg", min_bytes=100, optional=True),
    ),
    restore=Restore(
        way="file",
        note="Copy the file to startup-config (`copy scp://USER@HOST/FILE startup-config`) and `reload`. Its first "
        "lines, up to `ssd-control-end`, must be there.",
    ),
    verified="recording",
    source="the whole running-config of a Business switch with 3.2 (as published); the pager, startup-config and the "
    "restore from Cisco's CLI guides for the 350 and Business 250 series, as remembered",
    enable=True,
    secrets=(
        *CISCO_SECRETS,
        rf"(?P<keep>^encrypted (?:radius|tacacs)-server .*?\bkey {TYPE}){VALUE}",
        rf"(?P<keep>^(?:encrypted )?snmp-server user .*?\bauth (?:(?:sha\d*|md5) )?){VALUE}",
        rf"(?P<keep>^(?:encrypted )?snmp-server user .*?\bpriv (?:(?:des|aes) )?){VALUE}",
        rf"(?P<keep>^encrypted (?:sntp authentication-key \d+ md5|key-string|ip ospf \S+(?: \d+ md5)?) ){VALUE}",
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*%? ?(?:Unrecognized command|bad parameter value|missing mandatory)"),
    pager=(r"^More: <space>,  Quit: q",),
    ansi=True,
    save=("write memory",),
)
