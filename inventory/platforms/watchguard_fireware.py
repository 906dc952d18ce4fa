"""WatchGuard Fireware."""

from inventory.platforms.idioms import XML_SECRETS
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import GREETING, Sign

PLATFORM = Platform(
    slug="watchguard_fireware",
    label="WatchGuard Fireware",
    netmiko_type="watchguard_fireware",
    signs=(Sign(r"^WatchGuard Fireware", GREETING),),
    commands=(
        # Whether anything follows the document on the console is not known: only the prompt and the size tell.
        Command(line="export config to console", filename="config.xml", min_bytes=200),
    ),
    restore=Restore(
        way="file",
        note="Open the file in Policy Manager and save it to the Firebox, or `import config from` a server: the whole "
        "configuration is replaced at once, connections break. Certificates and licences are not part of it.",
    ),
    verified="none",
    source="from memory of WatchGuard's Fireware CLI reference; the answer around the document not checked",
    patience=60.0,
    secrets=(
        *XML_SECRETS,
        r"(?P<keep><(?:[\w-]{0,40}(?:passwd|password|passphrase|shared-secret|shared-key|community|secret))>)"
        r"[^<\s][^<\n]*(?=</)",
    ),
    refusals=(r"^[ \t]*%[ \t]*(?:Invalid|Error|Unrecognized|Incomplete)", r"^[ \t]*\^[ \t]*$"),
    pager=(r"^ *--More-- ?",),  # whether it can be turned off is not known
)
