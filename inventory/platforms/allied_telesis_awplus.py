"""Allied Telesis AlliedWare Plus."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="allied_telesis_awplus",
    label="Allied Telesis AlliedWare Plus",
    netmiko_type="allied_telesis_awplus",
    signs=(Sign(r"^AlliedWare Plus"),),
    commands=(
        Command(line="show running-config", filename="running.cfg", complete_when=r"^end\s*$", min_bytes=100),
        Command(line="show startup-config", filename="startup.cfg", complete_when=r"^end\s*$", optional=True),
    ),
    restore=Restore(
        way="file",
        note="Copy the file to flash:, `boot config-file flash:/FILE` and `reboot`. Copied to running-config it only "
        "adds.",
    ),
    verified="recording",
    source="a session on an x510 (as published); the pager, startup-config, refusals and the restore from Allied "
    "Telesis' command references for AlliedWare Plus, as remembered",
    enable=True,
    patience=60.0,
    secrets=CISCO_SECRETS,
    refusals=CISCO_REFUSALS,
    pager=(r"^ ?--More-- ?",),
    save=("copy running-config startup-config",),
)
