"""Fortinet FortiManager and FortiAnalyzer."""

from inventory.platforms.idioms import VALUE
from inventory.platforms.sheet import Command, Platform, Restore, Section
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="fortinet_fortimanager",
    label="Fortinet FortiManager and FortiAnalyzer",
    netmiko_type="fortinet",
    signs=(Sign(r"^Platform (?:Type|Full Name) +: (?:FMG|FAZ|FortiManager|FortiAnalyzer)", "get system status"),),
    commands=(
        # Every section ends with "end": a cut behind one cannot be seen. Only the prompt and the size tell.
        Command(line="show", filename="system.conf", min_bytes=200),
    ),
    restore=Restore(
        way="merge",
        note="Paste the sections that are missing; remove by hand what is too much. This is the system's own "
        "configuration: policies, devices and logs come back only with `execute restore all-settings` and a file of "
        "`execute backup all-settings`.",
    ),
    verified="recording",
    source="FortiManager-VM64 7.4.6 (as published); the restore from memory of Fortinet's CLI reference",
    comment="#",
    patience=60.0,
    volatile=(r"(?P<keep>^[ \t]*set \S+ (?:\S+ )?ENC )\S+",),  # every secret is encrypted anew each time
    secrets=(
        rf"(?P<keep>^[ \t]*set \S{{0,40}}community\d ){VALUE}",
        r"(?P<keep>^[ \t]*set \S+ (?:\S+ )?ENC )\S+",
        r"(?P<keep>^[ \t]*set (?:\S*passw(?:or)?d\d?|\S*passphrase|\S*secret|auth-pwd|priv-pwd|key|\S+-key|\S*community"
        rf"|token) )(?!ENC |(?:enable|disable)[ \t\r]*$|\"?-----BEGIN){VALUE}",
        Section(
            begins=r"^[ \t]*config system snmp community[ \t\r]*$",
            ends=r"^end[ \t\r]*$",
            secrets=(rf"(?P<keep>^[ \t]+set name ){VALUE}",),
        ),
    ),
    refusals=(
        r"^[ \t]*(?:Unknown action|Command fail\.|command parse error|Invalid command)",
        r"^[ \t]*(?:Permission denied|You do not have permission)",
    ),
    # It could be turned off by `set output standard` only, which is the configuration's and stays.
    pager=(r"^--More-- ",),
)
