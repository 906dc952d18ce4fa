"""Dell OS6 (N series)."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, TYPE, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="dell_os6",
    label="Dell OS6 (N series)",
    netmiko_type="dell_os6",
    signs=(Sign(r"^Machine Description\.+ Dell"),),
    commands=(
        # OS6 ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show running-config", filename="running.cfg", min_bytes=100),
        Command(line="show startup-config", filename="startup.cfg", min_bytes=100, optional=True),
    ),
    restore=Restore(
        way="file",
        note="`copy tftp://HOST/FILE startup-config` and `reload`. Copied to running-config it only adds.",
    ),
    verified="recording",
    source="the running-config of an N1548P (as published, without its first and last lines), and the beginning of one "
    "of the version before, 5.1 on an M6348; a file that is loaded replaces startup-config, as Dell's N3000 user's "
    "guide says; refusals as remembered",
    enable=True,
    volatile=(r"^! ?System Up ?[Tt]ime", r"^! ?Current SNTP ", r"^! ?Cut-through "),
    secrets=(
        *CISCO_SECRETS,
        rf"(?P<keep>^key {TYPE}){VALUE}\s*$",
        rf"(?P<keep>^(?:radius|tacacs-server) .*?\bkey {TYPE}){VALUE}",
        rf"(?P<keep>^snmp-server user .*?\b(?:auth-\S+|priv-\S+) ){VALUE}",
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*(?:Command not found|An invalid|This command is only)"),
    ansi=True,
    save=("copy running-config startup-config",),
)
