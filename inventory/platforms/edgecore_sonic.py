"""SONiC (community and Edgecore)."""

from inventory.platforms.idioms import CISCO_SECRETS, CONFIG_DB_SECRETS
from inventory.platforms.linux import PLATFORM as LINUX
from inventory.platforms.sheet import Command, Platform, RemoteFile, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="edgecore_sonic",
    label="SONiC (community and Edgecore)",
    netmiko_type="edgecore_sonic",
    signs=(
        Sign(r"^SONiC Software Version: (?!.{0,40}Enterprise)"),
        Sign(r"^Linux \S+ .*sonic", "uname -a", sure=False),
    ),
    commands=(
        Command(
            line="vtysh -c 'show running-config'",
            filename="frr.conf",
            complete_when=r"^end\s*$",
            fallbacks=("sudo -n vtysh -c 'show running-config'",),
            optional=True,
        ),
    ),
    files=(RemoteFile(path="/etc/sonic/config_db.json", filename="config_db.json", optional=False),),
    restore=Restore(
        way="replace",
        note="Copy config_db.json to the switch and `sudo config replace FILE`, which works out the difference "
        "(before 202111: over /etc/sonic/config_db.json and `sudo config reload -y`), then `sudo config save -y`. One "
        "that fails stays half done: `sudo config checkpoint NAME` before, `sudo config rollback NAME` then. FRR's "
        "part only where SONiC does not write it itself.",
    ),
    verified="manual",
    source="the SONiC project's wiki (Configuration: config_db.json and `config save`), its design of replace and "
    "rollback (Generic Config Update and Rollback) and its change 5142 for vtysh; Supermicro's SONiC manual for "
    "`config reload`; the answer of vtysh as in `linux`. What is stored is what was saved last, not what runs",
    comment="#",
    patience=60.0,
    volatile=LINUX.volatile,
    secrets=(
        *CONFIG_DB_SECRETS,
        *CISCO_SECRETS,
    ),
    refusals=LINUX.refusals,
    ansi=True,
    save=("sudo config save -y",),
)
