"""Sophos Firewall (SFOS)."""

from inventory.platforms.sheet import Command, Platform, Restore
from inventory.platforms.signs import GREETING, Sign

PLATFORM = Platform(
    slug="sophos_sfos",
    label="Sophos Firewall (SFOS)",
    netmiko_type="generic",  # netmiko's own driver sends its keys to the menu, where each means something
    signs=(Sign(r"^ *Sophos Firmware Version", GREETING), Sign(r"Select Menu Number \[", GREETING)),
    setup=("4",),  # the Device Console, out of the main menu
    commands=(
        # The console shows what is set part by part; each ends with no mark.
        Command(line="show network interfaces", filename="interfaces.txt"),
        Command(line="show advanced-firewall", filename="advanced-firewall.txt", optional=True),
        Command(line="show vpn configuration", filename="vpn.txt", optional=True),
        Command(line="system route_precedence show", filename="route-precedence.txt", optional=True),
        Command(line="system diagnostics show version-info", filename="version.txt", optional=True),
    ),
    restore=Restore(
        way="none",
        note="SSH never gives the configuration as a whole: rules and objects are only in the XML that the web page "
        "exports (Backup & firmware, Import export) and in the encrypted backup that it sends by FTP or mail. What is "
        "kept here shows changes of the network; keep one of these beside it.",
    ),
    verified="none",
    source="the menu as netmiko's driver quotes it, the commands from Sophos' command line help, as remembered",
    volatile=(r"^.{0,40}\b[RT]X (?:packets|bytes|errors)[: ]", r"^ *(?:Last update|Uptime|Hotfix)\b"),
    secrets=(
        r"(?P<keep>^ *(?:snmp )?community[ :]+)\S+",
        r"(?P<keep>^ *(?i:preshared ?key|password|secret) *[:=] *)\S.*$",
    ),
    refusals=(r"^[ \t]*(?:Error|% ?Error|Unknown|Invalid|Incomplete)[: ]",),
    pager=(r"^ *--More--",),  # its console has no setting for it
    ansi=True,
)
