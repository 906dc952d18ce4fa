"""OneAccess OneOS."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="oneaccess_oneos",
    label="OneAccess OneOS",
    netmiko_type="oneaccess_oneos",
    signs=(Sign(r"^Software version +: +ONEOS"),),
    commands=(
        # Whether every version ends with the same line is not known: only the prompt and the size tell.
        Command(line="show running-config", filename="running.cfg", min_bytes=60),
    ),
    restore=Restore(
        way="file",
        note="Put the file in the place of /BSA/config/bsaStart.cfg and `reboot`.",
    ),
    verified="none",
    source="from memory of OneOS 5; OneOS 6 not known",
    enable=True,
    volatile=(r"^Building configuration\.\.\.", r"^Current configuration ?:"),
    secrets=(
        rf"(?P<keep>^[ \t]*(?:radius|tacacs)-server [0-9.]{{7,15}} )(?!key |secret |[0-9]{{1,5}}[ \t\r]*$)"
        rf"{VALUE}(?=[ \t\r]*$)",
        rf"(?P<keep>^[ \t]*user add \S+ encrypted ){VALUE}",
        rf"(?P<keep>^[ \t]*(?:radius|tacacs)-server [0-9.]{{7,15}} \d+ )(?!key |secret ){VALUE}",
        rf"(?P<keep>^[ \t]*snmp set-(?:read|write|trap)-community ){VALUE}",
        rf"(?P<keep>^[ \t]*user add \S+ )(?!encrypted ){VALUE}",
        rf"(?P<keep>^[ \t]*(?:radius|tacacs)-server .{{0,200}}? (?:key|secret) ){VALUE}",
        *CISCO_SECRETS,
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*(?:Syntax error|Error: )"),
    save=("write memory",),
)
