"""Raisecom ROAP and ROS."""

from inventory.platforms.idioms import CISCO_REFUSALS, CISCO_SECRETS, TYPE, VALUE
from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="raisecom_roap",
    label="Raisecom ROAP and ROS",
    netmiko_type="raisecom_roap",
    signs=(Sign(r"^(?:Product Name|Software Version): (?:ISCOM|RAX|ROAP|ROS_)"),),
    commands=(
        # Whether every version ends with the same line is not known: only the prompt and the size tell.
        Command(line="show running-config", filename="running.cfg", min_bytes=60),
        Command(line="show startup-config", filename="startup.cfg", optional=True),
    ),
    restore=Restore(
        way="file",
        note="`download startup-config ftp HOST USER PASSWORD FILE` (or tftp) and `reboot`.",
    ),
    verified="none",
    source="from memory of Raisecom's command references",
    enable=True,
    volatile=(r"^Building configuration\.\.\.",),
    secrets=(
        rf"(?P<keep>^[ \t]*(?:radius|tacacs)-(?:server )?(?:encrypt-)?key {TYPE}){VALUE}",
        rf"(?P<keep>^[ \t]*user (?:name )?\S+ password (?:cipher |simple |no-encryption )?){VALUE}",
        rf"(?P<keep>^[ \t]*enable (?:password|auth) (?:cipher |simple )?){VALUE}",
        *CISCO_SECRETS,
    ),
    refusals=(*CISCO_REFUSALS, r"^[ \t]*% ?\"[^\"\n]{1,60}\" +Unknown command"),
    pager=(r"^ *--More-- ?",),
    save=("write startup-config",),
)
