"""Netgear ProSAFE and Smart Managed Pro."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, FASTPATH_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="netgear_prosafe",
    label="Netgear ProSAFE and Smart Managed Pro",
    netmiko_type="netgear_prosafe",
    signs=(
        Sign(r"^Loader Version +: [^\n]*\n(?s:.){0,200}^Firmware Version +: ", sure=False),
        Sign(r"^System Description\.+ .*(?:ProS[Aa][Ff][Ee]|NETGEAR|GS\d{3}|M\d{4}|XS\d{3})"),
    ),
    commands=(
        # Netgear ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show running-config", filename="running.cfg", min_bytes=100),
        Command(line="show startup-config", filename="startup.cfg", min_bytes=100, optional=True),
    ),
    restore=Restore(
        way="file",
        note="`copy tftp://HOST/FILE nvram:startup-config` (or the web pages' update of a text configuration) and "
        "`reload`.",
    ),
    verified="recording",
    source="a GS752TPP with 6.0.10; startup-config and the restore from Netgear's manuals for the M4300",
    enable=True,
    volatile=(
        r"^! ?System Up Time",
        r"^! ?Current (?:SNTP Synchronized Time|System Time)",
        r"^! ?SNTP (?:Current|Synchronized) Time",
    ),
    secrets=(
        *FASTPATH_SECRETS,
        *CISCO_SECRETS,
        rf"(?P<keep>^snmp (?:user .*?\bauth|host .*?\bversion) (?:(?:md5|sha|v?1|v?2c|v?3) )?(?:encrypted )?){VALUE}",
        rf"(?P<keep>^snmp user .*?\bpriv (?:(?:des|aes) )?(?:encrypted )?){VALUE}",
        rf"(?P<keep>^(?:radius|tacacs-server) .*?\bkey (?:(?:auth|acct) )?(?:\"[^\"\n]*\" )?(?:encrypted )?){VALUE}",
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*(?:Error: |Command not found|An invalid)"),
    ansi=True,
    save=("write memory confirm",),
)
