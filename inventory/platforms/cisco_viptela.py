"""Cisco SD-WAN (Viptela vEdge)."""

from inventory.platforms.idioms import CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import GREETING, Sign

PLATFORM = Platform(
    slug="cisco_viptela",
    label="Cisco SD-WAN (Viptela vEdge)",
    netmiko_type="cisco_viptela",
    signs=(Sign(r"^viptela \d|^Welcome to Viptela CLI", GREETING),),
    commands=(Command(line="show running-config", filename="running.cfg", min_bytes=100),),
    restore=Restore(
        way="candidate",
        note="Copy the file to the router; in `config`: `load override FILE`, `show configuration diff`, `commit "
        "confirmed 5`, `commit`. Where vManage owns the device, its template is the way.",
    ),
    verified="none",
    source="Cisco's SD-WAN command reference, as remembered; the greeting, the prompt and parts of configurations as "
    "published. An IOS-XE router in controller mode is collected as `cisco_ios`",
    patience=60.0,
    secrets=(
        *CISCO_SECRETS,
        r"(?P<keep>^[ \t-]*otp ?: )\S+",
        rf"(?P<keep>^[ \t]*(?:secret-key|pre-shared-secret|(?:auth|priv)-password|community|md5-key"
        rf"|wpa-personal-key) ){VALUE}",
    ),
    refusals=(r"^[ \t]*(?:syntax error|error: |Error: |Aborted: permission denied)",),
)
