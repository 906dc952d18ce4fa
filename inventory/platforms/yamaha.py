"""Yamaha RTX and SWX."""

from inventory.platforms.idioms import CISCO_REFUSALS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import GREETING, Sign

PLATFORM = Platform(
    slug="yamaha",
    label="Yamaha RTX and SWX",
    netmiko_type="yamaha",
    signs=(
        Sign(r"^(?:RTX|NVR|FWX|SWX|vRX)\d*\w* (?:Rev\.|BootROM)", "show environment"),
        Sign(r"^(?:RTX|NVR|FWX|SWX)\d+\w* (?:BootROM )?Rev\.", GREETING),
    ),
    commands=(
        # Yamaha ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show config", filename="config.txt", fallbacks=("show running-config",), min_bytes=60),
    ),
    restore=Restore(
        way="file",
        note="`tftp host HOST`, put the file there as `config` over TFTP (or as /system/config0 over SFTP) and "
        "`restart`. Passwords that are shown as `*` must be set anew.",
    ),
    verified="recording",
    source="whole answers of an N1200, an NVR510 and an RTX1210, and parts of others (as published); SWX, secrets and "
    "the restore from Yamaha's command reference, as remembered",
    enable=True,  # `show config` leaves nothing out only for the administrator
    # Else it breaks lines at 80 columns, as published answers show. The line stands in what runs from then on.
    setup=("console columns 200",),
    comment="#",
    volatile=(r"^# Reporting Date: ",),
    secrets=(
        rf"(?P<keep>^[ \t]*snmp (?:trap )?host \S+ ){VALUE}",
        rf"(?P<keep>^[ \t]*mobile pin code \S+ ){VALUE}",
        rf"(?P<keep>^[ \t]*sip server \d+ (?:\S+ ){{5}}){VALUE}",
        r"(?P<keep>^[ \t]*ip \S+ vrrp \d+ .{0,80}?\bauth=)\S+",
        r"(?P<keep>\bmd5key=)\S+",
        r"(?P<keep>^[ \t]*ipsec ike pre-shared-key \d+ (?:text )?)(?!text\b|\(masked\))\S.*$",
        rf"(?P<keep>^[ \t]*pp auth (?:myname|username) \S+ ){VALUE}",
        r"(?P<keep>^[ \t]*(?:login|administrator) password (?:encrypted )?)(?!\*|encrypted\b)\S+",
        r"(?P<keep>^[ \t]*login user \S+ (?:encrypted )?)(?!\*|encrypted\b)\S+",
        rf"(?P<keep>^[ \t]*snmpv?2?c? (?:trap )?community (?:read-only|read-write)? ?){VALUE}",
        rf"(?P<keep>^[ \t]*(?:radius secret|(?:tunnel|ipsec) .{{0,100}} auth-key|l2tp tunnel auth on"
        rf"|cloud vpn parameter \d+) ){VALUE}",
        rf"(?P<keep>^[ \t]*snmpv3 usm user \d+ \S+ \S+ ){VALUE}",
        rf"(?P<keep>^[ \t]*snmpv3 usm user \d+ \S+ \S+ \S+ \S+ ){VALUE}",
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*Error: "),
    pager=(r"^---[^\n-]{1,30}---",),  # "more" in the console's language
    ansi=True,
    save=("save",),
)
