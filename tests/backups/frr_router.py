"""FRRouting behind OpenSSH, on this machine and in a network of its own: a real router for tests.

Needs root and the packages frr and openssh-server; nothing of the machine's own FRRouting is touched, because the
daemons get a name space of their own for network, processes, sockets and files.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

import asyncssh

from backups.transport import Target

DAEMONS = Path("/usr/lib/frr")
SSHD = Path("/usr/sbin/sshd")
NAME = f"netcairn-{os.getpid()}"


def missing() -> str:
    """Why this cannot be tried here; empty when it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "needs root on Linux"
    if not (DAEMONS / "zebra").exists() or not SSHD.exists():
        return "needs the packages frr and openssh-server"
    tried = subprocess.run(["unshare", "--net", "--pid", "--fork", "true"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "may not make a network name space here"


ROUTES = 600


@contextmanager
def running_router() -> Iterator[None]:
    """The daemons, with a configuration too long for a screen."""
    places = [Path("/etc/frr") / NAME, Path("/var/run/frr") / NAME]
    for place in places:
        place.mkdir(parents=True)
        shutil.chown(place, "frr", "frr")
    started = " && ".join(f"{DAEMONS / daemon} -N {NAME} -d" for daemon in ("zebra", "staticd", "bgpd"))
    script = f"ip link set lo up && {started} && echo up && exec cat"
    inside = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script]
    process = subprocess.Popen(inside, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        _configure()
        yield
    finally:
        process.kill()
        process.communicate()
        for place in [*places, *_crash_logs(places[1])]:
            shutil.rmtree(place, ignore_errors=True)


def _crash_logs(run: Path) -> list[Path]:
    """Where each daemon keeps what it would say when it crashed."""
    return [Path("/var/tmp/frr") / f"{file.stem}.{file.read_text().strip()}" for file in run.glob("*.pid")]


def _configure() -> None:
    lines = [
        "hostname edge1",
        "banner motd line edge1# is only a banner",
        "ip route 198.51.100.0/24 Null0",
        *(f"ip route 10.{n // 256}.{n % 256}.0/24 Null0" for n in range(ROUTES)),
        "router bgp 64512",
        "neighbor 192.0.2.1 remote-as 64513",
        "neighbor 192.0.2.1 password s3cret",
    ]
    place = Path("/etc/frr") / NAME
    (place / "vtysh.conf").write_text("service integrated-vtysh-config\n")
    (place / "frr.conf").write_text("\n".join(lines) + "\n")
    _run("-b")


def vtysh(*lines: str) -> str:
    """What the router's own shell says."""
    return _run(*(part for line in lines for part in ("-c", line)))


def _run(*options: str) -> str:
    said = subprocess.run(["vtysh", "-N", NAME, *options], capture_output=True, text=True, check=True, timeout=60)
    return said.stdout


@contextmanager
def ways_into(router: Path) -> Iterator[dict[str, Target]]:
    """Two SSH servers with their files in a directory: one whose login is vtysh itself, one whose login is a shell."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    (router / "authorized_keys").write_text(key.export_public_key().decode())
    (router / "vtysh").write_text(f'#!/bin/sh\nexec /usr/bin/vtysh -N {NAME} "$@"\n')
    (router / "vtysh").chmod(0o755)
    # Without the profile, which would put the machine's own vtysh first; the subsystem for files is a command as well.
    shell = f'[ -n "$SSH_ORIGINAL_COMMAND" ] && exec $SSH_ORIGINAL_COMMAND\nPATH={router}:$PATH exec bash --norc --noprofile -i'
    (router / "shell").write_text(f"#!/bin/sh\n{shell}\n")
    (router / "shell").chmod(0o755)
    Path("/run/sshd").mkdir(exist_ok=True)
    servers, targets = [], {}
    for way in ("vtysh", "shell"):
        server, port = _sshd(router, way)
        servers.append(server)
        targets[way] = Target(
            "edge1",
            "127.0.0.1",
            port,
            "root",
            private_key=key.export_private_key().decode(),
            host_key=_host_key(router),
        )
    try:
        yield targets
    finally:
        for server in servers:
            server.terminate()
            server.wait()


def _sshd(place: Path, way: str) -> tuple[subprocess.Popen[bytes], int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    if not (place / "host_key").exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / "host_key"], check=True)
    settings = [
        f"Port {port}",
        "ListenAddress 127.0.0.1",
        f"HostKey {place}/host_key",
        f"AuthorizedKeysFile {place}/authorized_keys",
        "PidFile none",
        "UsePAM no",
        "StrictModes no",
        "PermitRootLogin prohibit-password",
        "MaxStartups 100",
        "Subsystem sftp /usr/lib/openssh/sftp-server",
        f"ForceCommand {place / way}",
    ]
    (place / f"{way}.conf").write_text("\n".join(settings) + "\n")
    with (place / f"{way}.log").open("wb") as log:
        server = subprocess.Popen([SSHD, "-D", "-e", "-f", place / f"{way}.conf"], stderr=log)
    until = monotonic() + 20
    while monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return server, port
    raise AssertionError((place / f"{way}.log").read_text())


def _host_key(place: Path) -> str:
    return " ".join((place / "host_key.pub").read_text().split()[:2])
