"""Hirschmann HiOS."""

from inventory.platforms.idioms import CISCO_REFUSALS, TYPE, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="hirschmann_hios",
    label="Hirschmann HiOS",
    netmiko_type="hirschmann_hios",
    signs=(Sign(r"HiOS-\w|^Hirschmann", "show system info"),),
    commands=(
        # The script's last line differs from version to version: only the prompt and the size tell.
        Command(line="show running-config script", filename="running.cli", min_bytes=60),
        # The form that the device takes back as a whole.
        Command(line="show running-config xml", filename="running.xml", optional=True),
    ),
    restore=Restore(
        way="file",
        note="`copy config remote URL nvm profile NAME` with running.xml, select the profile and `reset`. As a script, "
        "`script apply` only adds. `config watchdog` goes back by itself when the connection is lost.",
    ),
    verified="none",
    source="from memory of Hirschmann's reference manual for HiOS' command line; the XML document not checked",
    enable=True,
    patience=60.0,
    volatile=(r"^!? ?System (?:up ?time|date)",),
    secrets=(
        rf"(?P<keep>^[ \t]*snmp-access version v3-\S+ \S+ )(?=\"){VALUE}",
        rf"(?P<keep>^[ \t]*users snmpv3 password (?:authentication|encryption) \S+ ){VALUE}",
        rf"(?P<keep>^[ \t]*users (?:password|snmpv3 \S+) \S+ )(?!(?:md5|sha\S*|des|aes\S*|none)[ \t\r]*$){VALUE}",
        rf"(?P<keep>^[ \t]*snmp community (?:ro|rw) ){VALUE}",
        rf"(?P<keep>^[ \t]*radius server (?:auth|acct) modify \d+ .{{0,200}}?secret {TYPE}){VALUE}",
        r"(?P<keep><Attribute name=\"\w{0,60}(?:Password|Secret|Key|CommunityName)\">)[^<\n]+(?=</)",
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*Error: "),
    pager=(r"^--More-- ?",),
    save=("save",),
)
