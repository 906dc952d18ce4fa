"""Brocade Network OS (VDX)."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, TYPE, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="brocade_nos",
    label="Brocade Network OS (VDX)",
    netmiko_type="brocade_nos",
    signs=(Sign(r"^Network Operating System Software"),),
    commands=(
        # Network OS ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show running-config", filename="running.cfg", min_bytes=100),
        Command(line="show startup-config", filename="startup.cfg", min_bytes=100, optional=True),
    ),
    restore=Restore(
        way="file",
        note="`copy flash://FILE startup-config` and `reload`. Copied to running-config it only adds. In logical "
        "chassis mode the principal switch distributes the configuration.",
    ),
    verified="none",
    source="Brocade's Network OS administration guide, as remembered",
    patience=60.0,
    secrets=(
        rf"(?P<keep>^[ \t]*snmp-server (?:user|host|v3host) .{{0,200}}? (?:auth-password|priv-password) ){VALUE}",
        rf"(?P<keep>^[ \t]*key {TYPE})(?!chain\b){VALUE}",
        *CISCO_SECRETS,
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*(?:syntax error: |Error: |%Error: )"),
    pager=(r"^ *--More-- ?",),
    save=("copy running-config startup-config",),
)
