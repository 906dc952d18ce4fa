"""Nokia SR Linux."""

from inventory.platforms.idioms import VALUE
from inventory.platforms.sheet import Command, Platform, RemoteFile, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="nokia_srl",
    label="Nokia SR Linux",
    netmiko_type="nokia_srl",
    signs=(Sign(r"^(?:OS +: SR Linux|Software Version +: v\d+\.\d+\.\d+)"),),
    commands=(
        # It ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(line="info flat from running", filename="running.set", min_bytes=100),
    ),
    files=(RemoteFile(path="/etc/opt/srlinux/config.json", filename="config.json"),),
    restore=Restore(
        way="candidate",
        note="Copy config.json (what was last saved) to the switch; `enter candidate`, `load file FILE`, `diff`, "
        "`commit confirmed`, `tools system configuration confirmed-accept`, `save startup`. running.set only "
        "adds.",
    ),
    verified="manual",
    source="Nokia's SR Linux configuration basics guide 23.10 for config.json, candidates and commits; Nokia's "
    "SReXperts exercises for `info flat from running` and its lines; refusals as remembered",
    comment="#",
    patience=60.0,
    secrets=(
        rf"(?P<keep>\b(?:password|hashed-password|secret-key|authentication-key|auth-password|community"
        rf"|private-key|key) )(?!-|\{{){VALUE}",
        r"(?P<keep>\"(?:password|secret-key|authentication-key|community|key|community-entry)\": )\"[^\"\n]*\"",
    ),
    refusals=(r"^[ \t]*(?:Parsing error|Error: |Unknown token|Invalid )",),
    ansi=True,
    save=("save startup",),
)
