"""Linux hosts and FRRouting on them."""

from inventory.platforms.idioms import CISCO_SECRETS, VALUE
from inventory.platforms.procedure import Line, Procedure
from inventory.platforms.sheet import Command, Platform, RemoteFile, Restore
from inventory.platforms.signs import Sign

# Where Debian and FRRouting's own packages put frr-reload.py. `write""n` is said back as it was typed, printed as one.
_RELOAD = 'PATH="$PATH:/usr/lib/frr" frr-reload.py --reload --stdout'

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
        way="replace",
        note="Put the files in their places and restart what reads them. For FRR copy frr.conf to /etc/frr/ "
        "and run `frr-reload.py --reload /etc/frr/frr.conf`, which works out the difference.",
        procedure=Procedure(
            source="frr.conf",
            path="{file}",
            by="sftp",
            load=(
                Line("md5sum {file}", expect="{md5}"),
                Line(
                    'PATH="$PATH:/usr/lib/frr" frr-reload.py --test {file} > /dev/null 2>&1 && echo test""ed',
                    expect="tested",
                ),
                Line(
                    "(umask 077; vtysh -c 'show running-config' | sed '1,/^Current conf/d' > {session}.before)"
                    " && grep -q '^end' {session}.before && echo ke\"\"pt",
                    expect="kept",
                ),
            ),
            commit=(
                # The timer lives on without the session; once its file is gone it does nothing.
                Line(
                    "setsid -f sh -c 'sleep {minutes}m; test -e {session}.before && "
                    f'{_RELOAD} {{session}}.before\' > /dev/null 2>&1 < /dev/null && echo start""ed',
                    expect="started",
                ),
                Line(f'{_RELOAD} {{file}} && echo reload""ed', expect="reloaded"),
            ),
            confirm=(Line('rm {session}.before && echo confirm""ed', expect="confirmed"),),
            save=(Line("vtysh -c 'write memory'", expect="[OK]"),),
            revert=(Line(f'{_RELOAD} {{session}}.before && echo revert""ed', expect="reverted"),),
            remove=(Line("rm -f {file} {session}.before"),),
            undone="Without confirmation a process on the host puts back what FRRouting ran before.",
            not_undone="Only FRRouting goes back; other files and the system itself stay as they are. frr-reload.py "
            "saves as it goes, so after a restart of the host in between it runs the version.",
        ),
    ),
    verified="system",
    source="FRRouting 8.4.4 on Debian 12; the other files and the restore from Debian's and FRRouting's documentation",
    comment="#",
    volatile=(
        r"^Building configuration\.\.\.",
        r"^Current configuration:",  # nor does frr-reload.py know this line
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
