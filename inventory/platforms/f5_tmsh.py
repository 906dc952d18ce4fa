"""F5 BIG-IP."""

from inventory.platforms.idioms import VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="f5_tmsh",
    label="F5 BIG-IP",
    netmiko_type="f5_linux",
    signs=(Sign(r"^ *Product +BIG-IP", "show sys version"), Sign(r"^Syntax Error: ", sure=False)),
    commands=(
        # Said in the shell; an account with tmsh as its shell gets by with `list`.
        Command(
            line="tmsh -q list",
            filename="bigip.conf",
            complete_when=r"^\}\s*$",  # only a section of the highest level closes at the margin
            fallbacks=("list",),
            min_bytes=200,
        ),
    ),
    restore=Restore(
        way="merge",
        note="Copy the file to /var/local/scf, `load sys config merge file FILE verify`, then without `verify`, `save "
        "sys config`. The whole device goes back with its own UCS archive; certificates and keys are not part of "
        "the text.",
    ),
    verified="recording",
    source="a BIG-IP tenant (as published, versions taken out); the restore from F5's tmsh reference, as remembered",
    comment="#",
    patience=120.0,
    volatile=(
        r"^ +(?:create-time|last-modified-time|update-time|last-update-time) ",
        r"^ +state (?:up|down|irule-down|unchecked|checking|fqdn-\S+)\s*$",  # a node's state of the moment
    ),
    secrets=(
        rf"(?P<keep>^ +(?:encrypted-password|password|secret|passphrase|bind-pw|key-password"
        rf"|auth-password(?:-encrypted)?|privacy-password(?:-encrypted)?|community(?:-name)?"
        rf"|preshared-key(?:-encrypted)?|ikev\d-key) )(?!none$|\{{){VALUE}",
    ),
    refusals=(
        r"^[ \t]*(?:Syntax Error: |Unexpected Error: |Data Input Error|Authorization failed)",
        r"(?:: not found|: command not found|: Permission denied)\s*$",
    ),
    # An account with tmsh as its shell: `modify cli preference pager disabled` would be kept with the account.
    pager=(r"^---\(less \d+%\)---",),
    ansi=True,
    save=("save sys config",),
)
