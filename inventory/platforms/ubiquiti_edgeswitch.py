"""Ubiquiti EdgeSwitch."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, FASTPATH_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="ubiquiti_edgeswitch",
    label="Ubiquiti EdgeSwitch",
    netmiko_type="ubiquiti_edgeswitch",
    signs=(Sign(r"^System Description\.+ (?:EdgeSwitch|ES-)"),),
    commands=(
        # EdgeSwitch ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show running-config", filename="running.cfg", min_bytes=100),
        Command(line="show startup-config", filename="startup.cfg", min_bytes=100, optional=True),
    ),
    restore=Restore(
        way="file",
        note="`copy tftp://HOST/FILE nvram:startup-config` and `reload`; or the web pages' restore.",
    ),
    verified="recording",
    source="the whole answer of an EdgeSwitch 16 with 1.8.1, byte for byte, and the head of two with 1.9.2 (as "
    "published); startup-config, refusals and the restore from Ubiquiti's EdgeSwitch CLI reference, as remembered",
    enable=True,
    volatile=(r"^! ?System Up Time", r"^! ?Current (?:SNTP Synchronized Time|System Time)"),
    secrets=(
        *FASTPATH_SECRETS,
        *CISCO_SECRETS,
        rf"(?P<keep>^(?:radius|tacacs-server) .*?\bkey (?:(?:auth|acct) )?(?:\"[^\"\n]*\" )?(?:encrypted )?){VALUE}",
        rf"(?P<keep>^snmp-server user .*?\b(?:auth-\S+|priv-\S+) ){VALUE}",
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*(?:Error: |Command not found|An invalid)"),
    pager=(r"^--More-- or \(q\)uit",),
    ansi=True,
    save=("write memory confirm",),
)
