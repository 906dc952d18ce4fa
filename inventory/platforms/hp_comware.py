"""HPE and H3C Comware."""

from inventory.platforms.idioms import CIPHER_SECRETS
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import SSH, Sign

PLATFORM = Platform(
    slug="hp_comware",
    label="HPE and H3C Comware",
    netmiko_type="hp_comware",
    signs=(
        Sign(r"(?:H3C|HPE?) Comware|Comware (?:Platform )?Software", "display version"),
        Sign(r"^Comware-", SSH),
    ),
    commands=(
        Command(
            line="display current-configuration",
            filename="current.cfg",
            complete_when=r"^(?:return|# End of .*)\s*$",  # a comment with words only ends what people shortened
            min_bytes=60,
        ),
        Command(line="display saved-configuration", filename="saved.cfg", complete_when=r"^return\s*$", optional=True),
    ),
    restore=Restore(
        way="replace",
        note="Copy the file to flash: and, in system view, `configuration replace file flash:/FILE`; Comware works out "
        "the difference. Before it `configuration commit delay 5` where the version has it, then `configuration "
        "commit`.",
    ),
    verified="recording",
    source="Comware 7.1 on a 5130 (a short session, without its end); `return`, saved-configuration and the restore "
    "from HPE's and H3C's command references",
    comment="#",
    patience=60.0,
    volatile=(r"^ *Saved by .* at ",),
    secrets=CIPHER_SECRETS,
    refusals=(
        r"^[ \t]*% ?(?:Unrecognized command|Incomplete command|Too many parameters|Wrong parameter"
        r"|Permission denied)",
        r"^[ \t]*(?:Permission denied|The saved configuration does not exist)",
    ),
    pager=(r"^ *---- More ----",),
    ansi=True,
    save=("save force",),
)
