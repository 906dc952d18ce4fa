"""Linux hosts and FRRouting on them."""

from inventory.platforms.idioms import CISCO_SECRETS, VALUE
from inventory.platforms.sheet import Command, Platform, RemoteFile, Restore
from inventory.platforms.signs import Sign

PLATFORM = Platform(
    slug="linux",
    label="Linux and FRRouting",
    netmiko_type="linux",
    signs=(Sign(r"^Linux \S+ \d(?!.*(?:sonic|cumulus|Cumulus))", "uname -a"),),
    # Each is optional, because no two hosts have the same; a host with none of them is not backed up.
    commands=(
        Command(
            line="vtysh -c 'show running-config'",
            filename="frr.conf",
            complete_when=r"^end\s*$",
            fallbacks=("sudo -n vtysh -c 'show running-config'",),
            optional=True,
        ),
    ),
    files=(
        RemoteFile(path="/etc/hostname", filename="hostname"),
        RemoteFile(path="/etc/hosts", filename="hosts"),
        RemoteFile(path="/etc/network/interfaces", filename="interfaces"),
        RemoteFile(path="/etc/sysctl.conf", filename="sysctl.conf"),
        RemoteFile(path="/etc/nftables.conf", filename="nftables.conf"),
        RemoteFile(path="/etc/iptables/rules.v4", filename="rules.v4"),
        RemoteFile(path="/etc/iptables/rules.v6", filename="rules.v6"),
        RemoteFile(path="/etc/frr/daemons", filename="frr-daemons"),
        RemoteFile(path="/etc/wireguard/wg0.conf", filename="wg0.conf"),
    ),
    restore=Restore(
        way="file",
        note="Put the files in their places and restart what reads them. For FRR copy frr.conf to /etc/frr/ "
        "and run `frr-reload.py --reload /etc/frr/frr.conf`, which works out the difference.",
    ),
    verified="system",
    source="FRRouting 8.4.4 on Debian 12; the other files and the restore from Debian's and FRRouting's documentation",
    comment="#",
    volatile=(
        r"^Building configuration\.\.\.",
        r"^# (?:Generated|Completed) (?:by|on) ",  # iptables-save's times
        r"(?P<keep>^:\S+ \S+ )\[\d+:\d+\]",  # and its counters
    ),
    secrets=(
        *CISCO_SECRETS,
        r"(?P<keep>^[ \t]*(?:PrivateKey|PresharedKey)\s*=\s*)\S+",
        rf"(?P<keep>^[ \t]*(?:wpa-psk|wpa-password|wireless-key\d?) ){VALUE}",
        rf"(?P<keep>\bwpa_passphrase \S+ ){VALUE}",
    ),
    refusals=(
        r"(?:: not found|: command not found|: Permission denied|: No such file or directory)\s*$",
        r"^[ \t]*(?:sudo: |Exiting: failed to connect to any daemons|failed to connect to any daemons)",
        r"^[ \t]*% Can't open ",
    ),
    ansi=True,  # shells announce that a paste may follow (ESC [ ? 2004 h)
)
