"""Digi TransPort."""

from inventory.platforms.sheet import Command, Platform, Restore

PLATFORM = Platform(
    slug="digi_transport",
    label="Digi TransPort",
    netmiko_type="digi_transport",
    commands=(
        # The answer ends with the command line's own OK, which is no part of the configuration.
        Command(line="config c show", filename="config.da0", min_bytes=60, complete_when=r"^OK\s*$"),
    ),
    restore=Restore(
        way="file",
        note="Without its last line (OK), put the file over FTP or SCP in the place of config.da0 and `reboot`.",
    ),
    verified="recording",
    source="the answer of a WR21, with its prompt and its OK (as published, shortened); refusals and the restore from "
    "Digi's user guide, as remembered",
    comment="#",
    secrets=(
        r"(?P<keep>^[ \t]*\S+ \S+ \w{0,20}(?:password|community|pwd|secret|pin|puk|key|psk"
        r"|rosecret|sharedsecret) )\S.*$",
        r"(?P<keep>^[ \t]*snmp \d+ \w{0,20}community )\S.*$",
    ),
    refusals=(r"^[ \t]*ERROR\b", r"^[ \t]*(?:Invalid command|Access denied)"),
    ansi=True,
)
