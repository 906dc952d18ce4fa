"""Huawei VRP 5."""

from inventory.platforms.idioms import CIPHER_SECRETS
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import SSH, Sign

PLATFORM = Platform(
    slug="huawei_vrp",
    label="Huawei VRP 5",
    netmiko_type="huawei_vrp",
    signs=(
        Sign(r"VRP \(R\) software, Version 5", "display version"),
        Sign(r"^HUAWEI-", SSH, sure=False),
    ),
    commands=(
        Command(
            line="display current-configuration", filename="current.cfg", complete_when=r"^return\s*$", min_bytes=100
        ),
        Command(line="display saved-configuration", filename="saved.cfg", complete_when=r"^return\s*$", optional=True),
    ),
    restore=Restore(
        way="file",
        note="Copy the file to flash: as NAME.cfg, `startup saved-configuration NAME.cfg` and `reboot` without saving. "
        "Certificates and keys are not part of the text.",
    ),
    verified="recording",
    source="a session on a campus switch with V200R023C00 (as published); saved-configuration and the restore from "
    "Huawei's command reference for the S5700 series, as remembered",
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
