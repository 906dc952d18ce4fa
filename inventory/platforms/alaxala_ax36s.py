"""ALAXALA AX3600S and AX2500S."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore

PLATFORM = Platform(
    slug="alaxala_ax36s",
    label="ALAXALA AX3600S and AX2500S",
    netmiko_type="alaxala_ax36s",
    commands=(
        # AX ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show running-config", filename="running.cfg", min_bytes=60),
        Command(line="show startup-config", filename="startup.cfg", optional=True),
    ),
    restore=Restore(
        way="file",
        note="Copy the file to the switch, `copy FILE startup-config` and `reload`. Accounts are not part of the text.",
    ),
    verified="recording",
    source="running-config and startup-config of an AX3640S with 11.14.S, asked by netmiko (as published by the author "
    "of its driver); secrets, refusals and the restore from ALAXALA's operation command references, as remembered",
    enable=True,
    comment="#",
    volatile=(r"^#Last modified by ",),
    secrets=(
        rf"(?P<keep>^[ \t]*snmp-server host \S+ (?:traps|informs) ){VALUE}",
        *CISCO_SECRETS,
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*(?:Error: |illegal (?:option|name))"),
    pager=(r"^Press any key to continue \(Q to quit\)",),
    save=("write",),
)
