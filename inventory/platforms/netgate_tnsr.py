"""Netgate TNSR."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, VALUE, XML_SECRETS
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import GREETING, Sign

PLATFORM = Platform(
    slug="netgate_tnsr",
    label="Netgate TNSR",
    netmiko_type="generic",
    signs=(
        Sign(r"^Netgate TNSR", GREETING),
        Sign(r"^This TNSR instance|\+tnsr-v\d"),
    ),
    commands=(
        # TNSR ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="show configuration running cli", filename="running.cfg", min_bytes=100),
        # The form that TNSR loads back as a whole.
        Command(
            line="show configuration running xml",
            filename="running.xml",
            complete_when=r"^</[\w:-]+>\s*$",
            optional=True,
        ),
    ),
    restore=Restore(
        way="candidate",
        note="Copy running.xml to the router; in `configure`: `configuration candidate load FILE`, `configuration "
        "candidate commit`, `configuration copy running startup`. Certificates and keys in files are not part of "
        "it.",
    ),
    verified="recording",
    source="TNSR 23.02; running.xml and the restore from Netgate's documentation",
    secrets=(
        *XML_SECRETS,
        *CISCO_SECRETS,
        rf"(?P<keep>^[ \t]*(?:snmp community community-name|private-key|psk|auth-key|user-password|pre-shared-key"
        rf"|shared-secret|secret|shared-key) ){VALUE}",
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*CLI syntax error: "),
    pager=(r"^--More--",),  # a setting is not known, and the recording was made with it on
    save=("configure", "configuration copy running startup", "exit"),
)
