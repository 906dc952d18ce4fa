"""AudioCodes Mediant 7.2 and later."""

from inventory.platforms.idioms import CISCO_REFUSALS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore

PLATFORM = Platform(
    slug="audiocode_72",
    label="AudioCodes Mediant 7.2 and later",
    netmiko_type="audiocode_72",
    commands=(
        # A Mediant ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show running-config", filename="running.cfg", min_bytes=100),
    ),
    restore=Restore(
        way="file",
        note="`copy startup-script from URL`: the device restarts with the script alone. `copy cli-script from URL` "
        "only adds. Certificates and prompts are not part of the text.",
    ),
    verified="none",
    source="AudioCodes' CLI reference guide for 7.2, as remembered; the header's lines not checked",
    comment="#",
    enable=True,
    patience=60.0,
    secrets=(
        rf"(?P<keep>^[ \t]+(?:\S{{0,40}}(?:password|secret|passphrase)|\S{{0,40}}-key|\S{{0,40}}community-string"
        rf"(?:-\d)?) )(?!policy\b){VALUE}",
        rf"(?P<keep>\b(?:shared-secret|pre-shared-key) ){VALUE}",
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*(?:Invalid command|Permission denied)"),
    pager=(r"^ *--MORE--",),
    save=("write",),
)
