"""Ubiquiti UniFi switch."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, FASTPATH_SECRETS
from inventory.platforms.sheet import Command, Platform, RemoteFile, Restore

PLATFORM = Platform(
    slug="ubiquiti_unifiswitch",
    label="Ubiquiti UniFi switch",
    netmiko_type="ubiquiti_unifiswitch",
    commands=(
        # The command line behind the switch's shell. It ends with no mark: only the prompt and the size tell.
        Command(line="show running-config", filename="running.cfg", min_bytes=100),
    ),
    files=(RemoteFile(path="/tmp/system.cfg", filename="system.cfg"),),  # noqa: S108 - the switch's  # nosec B108
    restore=Restore(
        way="none",
        note="The UniFi controller owns the configuration and writes it anew: restore the controller's own backup.",
    ),
    verified="recording",
    source="the whole answer of a USW-24P-250 with 5.11 and the way to it through `telnet localhost` (as published); "
    "system.cfg and refusals as remembered",
    comment="#",
    volatile=(r"^! ?System Up Time", r"^! ?Current (?:SNTP Synchronized Time|System Time)"),
    secrets=(
        *FASTPATH_SECRETS,
        *CISCO_SECRETS,
        r"(?P<keep>^wireless\.[\w.]{1,60}_key=)[^\n]+",
        r"(?P<keep>^(?:users|unifi|snmp|radius|mgmt|aaa|switch)\.[\w.]{0,60}(?:password|community|secret|authkey"
        r"|psk|auth_?pass|key|x_auth\w*)=)\S+",
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*(?:Error: |Command not found|An invalid)"),
    pager=(r"^--More-- or \(q\)uit",),
    ansi=True,
)
