"""Palo Alto Networks PAN-OS."""

from inventory.platforms.idioms import XML_SECRETS
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="paloalto_panos",
    label="Palo Alto Networks PAN-OS",
    netmiko_type="paloalto_panos",
    signs=(Sign(r"^sw-version: \d", "show system info"),),
    commands=(
        Command(
            line="show config running",
            filename="running.conf",
            complete_when=r"^(?:\}|</(?:config|response)>)\s*$",  # only the whole of it closes at the margin
            min_bytes=200,
        ),
    ),
    restore=Restore(
        way="merge",
        note="In `configure`, `set` what is missing and `delete` what is too much, then `commit`. A whole "
        "configuration goes back as XML: save it with `save config to FILE`, and `load config from FILE`, "
        "`validate full`, `commit`.",
    ),
    verified="recording",
    source="the whole answer of a VM-500 in braces and of 7.1 in XML (as published with netutils and Datadog's agent), "
    "and the prompt; refusals, the pager and the restore from Palo Alto Networks' CLI guide, as remembered",
    comment="#",
    # Lines that begin with `set` end with no mark, and an account may have chosen them for itself.
    setup=("set cli config-output-format default",),
    patience=180.0,
    secrets=(
        *XML_SECRETS,
        r"(?P<keep>\bsnmp-setting access-setting \S+ v2c )(?!community\b|snmp-community-string\b|\{)"
        r"(?:\"[^\"\n]*\"|\S+)(?=[ \t\r]*$)",
        r"(?P<keep>^[ \t]*(?:phash|[\w-]{0,40}password|[\w-]{0,20}secret|key|authpwd|privpwd|passphrase"
        r"|(?:snmp-)?community(?:-string)?|(?!public-)[\w-]{0,40}-key) )(?:\"[^\"]*\"|[^;\s{\"]+)(?=;)",
    ),
    refusals=(r"^[ \t]*(?:Unknown command|Invalid syntax\.|Server error|Permission denied|No permission)",),
    pager=(r"^lines \d+-\d+",),
    ansi=True,
)
