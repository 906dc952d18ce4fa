"""Garderos GRS."""

from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="garderos_grs",
    label="Garderos GRS",
    netmiko_type="garderos_grs",
    signs=(Sign(r"^grs-\S+ \(Garderos", "show system version"),),
    commands=(
        # GRS ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show configuration running", filename="running.conf", min_bytes=100),
    ),
    restore=Restore(
        way="merge",
        note="Set the differing keys in `configuration terminal`, `write running-configuration` to try them, then "
        "`write startup-configuration`; keys that are too much are removed by hand.",
    ),
    verified="recording",
    source="GRS 003_005 on an R-7700, as published with Oxidized; the restore after the words of netmiko's driver",
    comment="#",
    secrets=(
        r"(?P<keep>^[\w.-]{1,200}\.(?:\w{0,20}pass(?:word)?|secret|psk|key|passphrase|pin)=)\S.*$",
        r"(?P<keep>^[\w.-]{1,200}\.community(?:\.\d+)?\.name=)\S.*$",
    ),
    refusals=(r"^[ \t]*(?:Unknown command|Ambiguous command|Incomplete command|Permission denied)",),
    ansi=True,
    save=("write startup-configuration",),
)
