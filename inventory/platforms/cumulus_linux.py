"""NVIDIA Cumulus Linux (NVUE)."""

from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import GREETING, Sign

PLATFORM = Platform(
    slug="cumulus_linux",
    label="NVIDIA Cumulus Linux (NVUE)",
    netmiko_type="cumulus_linux",
    signs=(
        Sign(r"Cumulus Linux|cl\d?u\d", "uname -a"),
        Sign(r"Cumulus", GREETING, sure=False),
    ),
    commands=(
        # The document that NVUE takes back. It ends with no mark: only the prompt and the size tell.
        Command(line="nv config show --color off", filename="nvue.yaml", fallbacks=("nv config show",), min_bytes=100),
    ),
    restore=Restore(
        way="candidate",
        note="Copy nvue.yaml to the switch, `nv config replace nvue.yaml`, `nv config diff`, `nv config apply "
        "--confirm` (which goes back by itself unless confirmed), then `nv config save`.",
    ),
    verified="recording",
    source="Cumulus Linux 5.9 on an MSN2010; the restore from NVIDIA's NVUE reference. A switch without NVUE is "
    "collected as `linux`",
    comment="#",
    secrets=(
        r"(?P<keep>^[ \t]*(?:auth|encrypt)-(?:md5|sha|aes|des):[ \t]+)\S+",
        # SNMPv3's keys are names of sections in NVUE, and so are communities.
        r"(?P<keep>^ +(?:auth-(?:md5|sha)|encrypt-(?:aes|des)|readonly-community):[ \t\r]*\n[ \t]+)[^\s:]+(?=:)",
        r"(?P<keep>^ +(?:secret|password|hashed-password|key|authentication-key|md5-key|community): )(?!\{)\S+",
    ),
    refusals=(
        r"(?:: not found|: command not found|: Permission denied|: No such file or directory)\s*$",
        r"^[ \t]*(?:Error: |error: |usage: nv )",
    ),
    ansi=True,
    save=("nv config save",),
)
