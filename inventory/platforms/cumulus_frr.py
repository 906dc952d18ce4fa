"""Cumulus Linux without NVUE."""

from inventory.platforms.linux import PLATFORM as LINUX
from inventory.platforms.sheet import Platform, RemoteFile, Restore

PLATFORM = Platform(
    slug="cumulus_frr",
    label="Cumulus Linux without NVUE",
    netmiko_type="linux",
    commands=LINUX.commands,
    files=(
        RemoteFile(path="/etc/network/interfaces", filename="interfaces", optional=False),
        RemoteFile(path="/etc/hostname", filename="hostname"),
        RemoteFile(path="/etc/frr/daemons", filename="frr-daemons"),
        RemoteFile(path="/etc/cumulus/ports.conf", filename="ports.conf"),
        RemoteFile(path="/etc/cumulus/switchd.conf", filename="switchd.conf"),
        RemoteFile(path="/etc/cumulus/datapath/traffic.conf", filename="traffic.conf"),
        RemoteFile(path="/etc/ptm.d/topology.dot", filename="topology.dot"),
    ),
    restore=Restore(
        way="file",
        note="Put the files in their places, then `ifreload -a`, `frr-reload.py --reload /etc/frr/frr.conf`, and "
        "`systemctl restart switchd` where ports.conf, switchd.conf or traffic.conf changed: that one interrupts all "
        "traffic.",
    ),
    verified="recording",
    source="files and prompt of a Cumulus VX 5.4.0 (as published with Oxidized), but for topology.dot and the answer "
    "of vtysh, which is the one of `linux`; the restore from NVIDIA's Cumulus Linux 4 user guide, as remembered",
    comment="#",
    volatile=LINUX.volatile,
    secrets=LINUX.secrets,
    refusals=LINUX.refusals,
    ansi=True,
)
