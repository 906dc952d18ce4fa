"""Dell OS10 (SmartFabric)."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, TYPE, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="dell_os10",
    label="Dell OS10 (SmartFabric)",
    netmiko_type="dell_os10",
    signs=(Sign(r"OS10 Enterprise|^Dell (?:EMC )?(?:Networking )?(?:SmartFabric )?OS10"),),
    commands=(
        # OS10 ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(
            line="show running-configuration", filename="running.cfg", fallbacks=("show running-config",), min_bytes=100
        ),
        Command(line="show startup-configuration", filename="startup.cfg", min_bytes=100, optional=True),
    ),
    restore=Restore(
        way="file",
        note="`copy scp://USER@HOST/FILE config://startup.xml` takes only the switch's own XML; copy the text to "
        "config://FILE and `copy config://FILE running-configuration`, which only adds, on a switch set back with "
        "`delete startup-configuration`.",
    ),
    verified="recording",
    source="an S4112F-ON with 10.5.0.2 (as published); startup-configuration and the restore from Dell's SmartFabric "
    "OS10 user guide, as remembered",
    volatile=(r"^! Last configuration change at ",),
    secrets=(
        *CISCO_SECRETS,
        rf"(?P<keep>^ *(?:radius|tacacs)-server host \S+ .*?\bkey {TYPE}){VALUE}",
        rf"(?P<keep>^snmp-server user .*?\b(?:auth|priv) (?:localized )?\S+ ){VALUE}",
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*% ?Error: "),
    ansi=True,
    save=("write memory",),
)
