"""Extreme SLX-OS."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="extreme_slx",
    label="Extreme SLX-OS",
    netmiko_type="extreme_slx",
    signs=(Sign(r"^SLX-OS Operating System"),),
    commands=(
        # SLX-OS ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show running-config", filename="running.cfg", min_bytes=100),
        Command(line="show startup-config", filename="startup.cfg", min_bytes=100, optional=True),
    ),
    restore=Restore(
        way="file",
        note="`copy scp://USER:PASSWORD@HOST/FILE startup-config` and `reload system`. Copied to running-config it "
        "only adds.",
    ),
    verified="recording",
    source="the running-config of an SLX 9250 and the end of another switch's, as Extreme's fabric manager keeps them "
    "(as published); the prompt, startup-config and the restore from Extreme's SLX-OS management guide, as remembered",
    patience=60.0,
    secrets=(
        *CISCO_SECRETS,
        rf"(?P<keep>^ *(?:key|secret|md5-authentication key) (?:\d )?)(?!chain\b|\d+\s*$){VALUE}",
        rf"(?P<keep>^snmp-server user .*?\b(?:auth-password|priv-password) ){VALUE}",
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*(?:syntax error|%% ?Error|Error: )"),
    save=("copy running-config startup-config",),
)
