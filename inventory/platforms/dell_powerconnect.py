"""Dell PowerConnect."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, TYPE, VALUE
from inventory.platforms.sheet import Command, Platform, Restore

PLATFORM = Platform(
    slug="dell_powerconnect",
    label="Dell PowerConnect",
    netmiko_type="dell_powerconnect",
    commands=(
        # PowerConnect ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show running-config", filename="running.cfg", min_bytes=60),
        Command(line="show startup-config", filename="startup.cfg", min_bytes=60, optional=True),
    ),
    restore=Restore(
        way="file",
        note="`copy tftp://HOST/FILE startup-config` and `reload`. Copied to running-config it only adds.",
    ),
    verified="recording",
    source="the whole answers of a 3324 with 1.2 (as published with ZipTie) and of an 8024F with 3.1, and parts of a "
    "6224's and an M6348's (as published); the 5500 series' pager, refusals and the restore from Dell's CLI "
    "references, as remembered",
    enable=True,
    volatile=(r"^! ?System Up ?[Tt]ime", r"^! ?Current SNTP "),
    secrets=(
        *CISCO_SECRETS,
        rf"(?P<keep>^(?:key|(?:radius|tacacs)-server .*?\bkey) {TYPE}){VALUE}\s*$",
        rf"(?P<keep>^encrypted .*?\bkey {TYPE}){VALUE}",
    ),
    refusals=(
        *CISCO_REFUSALS,
        r"^[ \t]*(?:Command not found|% ?(?:Unrecognized|bad parameter value|missing mandatory))",
    ),
    setup=("terminal length 0",),  # the 6200, 7000 and 8000 series do not know what netmiko says for the 5500
    pager=(r"^More: <space>,  Quit: q", r"^--More-- or \(q\)uit"),
    ansi=True,
    save=("copy running-config startup-config",),
)
