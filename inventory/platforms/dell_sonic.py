"""SONiC with a management CLI (Dell Enterprise SONiC)."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, CONFIG_DB_SECRETS, TYPE, VALUE
from inventory.platforms.sheet import Command, Platform, RemoteFile, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="dell_sonic",
    label="SONiC with a management CLI (Dell Enterprise SONiC)",
    netmiko_type="dell_sonic",
    signs=(Sign(r"^(?:SONiC )?Software Version *: .{0,40}Enterprise"),),
    commands=(
        # The CLI ends with no mark: only the prompt and the size tell that nothing is missing.
        Command(
            line="show running-configuration | no-more",
            filename="running.cfg",
            fallbacks=("show running-configuration",),
            min_bytes=100,
        ),
    ),
    files=(RemoteFile(path="/etc/sonic/config_db.json", filename="config_db.json"),),
    restore=Restore(
        way="file",
        note="Put config_db.json to /etc/sonic and `config reload -y`; it is what was last saved with `write memory`. "
        "running.cfg is for reading and for pasting single lines.",
    ),
    verified="none",
    source="Dell's Enterprise SONiC user guide, as remembered; held against no device",
    secrets=(
        *CISCO_SECRETS,
        *CONFIG_DB_SECRETS,
        rf"(?P<keep>^(?:radius|tacacs)-server (?:host \S+ )?.*?\bkey {TYPE}){VALUE}(?= encrypted|\s|$)",
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*%? ?Error: "),
    ansi=True,
    save=("write memory",),
)
