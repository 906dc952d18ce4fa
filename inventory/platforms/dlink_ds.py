"""D-Link xStack and Smart switches."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, TYPE, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="dlink_ds",
    label="D-Link xStack and Smart switches",
    netmiko_type="dlink_ds",
    signs=(Sign(r"^Device Type +: D[EGX]S-\d", "show switch"), Sign(r"^Command: show version", sure=False)),
    commands=(
        # The words around the end differ from model to model: only the prompt and the size tell.
        Command(
            line="show config current_config",
            filename="current.cfg",
            fallbacks=("show config current", "show running-config"),
            min_bytes=100,
        ),
    ),
    restore=Restore(
        way="file",
        note="`download cfg_fromTFTP HOST src_file FILE` (newer models: `download cfg_fromTFTP HOST FILE config_id 1` "
        "and `reboot`). With `increment` it only adds.",
    ),
    verified="recording",
    source="the whole configuration file of a DGS-3612 with 2.50 (as published); the accounts' lines, the newer "
    "models' Cisco-like answer and the restore from D-Link's CLI references for the DES-3528 and DGS-3427 series, as "
    "remembered",
    comment="#",
    volatile=(r"^# Switch .{0,100} configuration saved at ",),
    secrets=(
        rf"(?P<keep>^[ \t]*config rip .{{0,80}} authentication enable ){VALUE}",
        # An account's password stands twice, each in a line of its own.
        r"(?P<keep>^create account \w+ \S+\n)(?:(?!#|create |config |enable |disable |\(masked\)$)\S+\n){1,2}",
        r"(?P<keep>^[ \t]*config account \S+ encrypt \S+ )\S+",
        rf"(?P<keep>^[ \t]*create snmp (?:community|host \S+ v2c|host \S+ v1) ){VALUE}",
        rf"(?P<keep>^[ \t]*create snmp user .{{0,200}}? auth \S+ ){VALUE}",
        rf"(?P<keep>^[ \t]*create snmp user .{{0,200}}? priv \S+ ){VALUE}",
        rf"(?P<keep>^[ \t]*(?:config|create) (?:radius|authen server_host|authentication server_host) .{{0,200}}?"
        rf" key {TYPE}){VALUE}",
        *CISCO_SECRETS,
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*(?:Available commands:|Next possible completions:|Invalid NULL token)"),
    frame=(r"^Command: ",),
    pager=(r"^ *CTRL\+C ESC q Quit SPACE n Next Page.*$",),
    ansi=True,
    save=("save",),
)
