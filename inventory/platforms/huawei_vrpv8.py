"""Huawei VRP 8 (CloudEngine, NetEngine)."""

from inventory.platforms.idioms import CIPHER_SECRETS
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import SSH, Sign

PLATFORM = Platform(
    slug="huawei_vrpv8",
    label="Huawei VRP 8 (CloudEngine, NetEngine)",
    netmiko_type="huawei_vrpv8",
    signs=(
        Sign(r"VRP \(R\) software, Version 8", "display version"),
        Sign(r"^HUAWEI-", SSH, sure=False),
    ),
    commands=(
        Command(
            line="display current-configuration", filename="current.cfg", complete_when=r"^return\s*$", min_bytes=100
        ),
        Command(line="display saved-configuration", filename="saved.cfg", complete_when=r"^return\s*$", optional=True),
    ),
    restore=Restore(
        way="replace",
        note="Copy the file to flash: and `rollback configuration to file FILE`, which works out the difference; or "
        "`load configuration file FILE replace`, `display configuration candidate changes`, `commit trial 300`, "
        "`commit`.",
    ),
    verified="recording",
    source="sessions on a CE6880 and a CE12800 with V200R005C10 (as published); saved-configuration and the restore "
    "from Huawei's CloudEngine configuration guide, as remembered",
    comment="#",
    patience=60.0,
    volatile=(r"^! ?Last configuration was (?:updated|saved) at ",),
    secrets=(
        r"(?P<keep>^[ \t]*pin verify (?:auto )?)\S+",
        *CIPHER_SECRETS,
    ),
    refusals=(
        r"^[ \t]*(?:Error: ?|% ?)(?:Unrecognized|Incomplete|Ambiguous|Too many parameters|Wrong parameter)",
        r"^[ \t]*(?:Error: )?(?:You do not have permission|(?:No p|P)ermission|The configuration file does not)",
    ),
    pager=(r"^ *---- More ----",),
    ansi=True,
)
