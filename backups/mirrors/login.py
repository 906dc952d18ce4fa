"""What git needs to log in to a remote: files that only we may read, for as long as one step takes.

A secret is never an argument or a variable: every user of the machine may read the first, and each child inherits the
second. The files are kept in memory where the system offers that (`/dev/shm`), in a directory of mode 0700.
"""

from __future__ import annotations

import shlex
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_ssh_private_key,
)
from django.conf import settings

from backups import claimers
from backups.conf import address_rule
from backups.mirrors.address import Place
from backups.mirrors.models import Mirror
from backups.remote.errors import RemoteFailed, RemoteRefused
from inventory.errors import SecretUnreadable, SourceRefused, SourceUnreachable
from inventory.host_keys import PREFERRED
from inventory.sources import secrets_of

MEMORY = Path("/dev/shm")  # noqa: S108  a directory of our own is made there  # nosec B108
PREFIX = "netcairn-mirror-"
ALIAS = "mirror"  # what the host is called in our known_hosts, whatever its address
CONNECT = 10  # seconds
SSH = {
    "BatchMode": "yes",
    "CheckHostIP": "no",
    "ClearAllForwardings": "yes",
    "ConnectTimeout": str(CONNECT),
    "ControlMaster": "no",
    "ControlPath": "none",
    "GlobalKnownHostsFile": "/dev/null",
    "HashKnownHosts": "no",
    "HostKeyAlgorithms": ",".join([*PREFERRED[:-1], "rsa-sha2-512", "rsa-sha2-256"]),
    "HostKeyAlias": ALIAS,
    "IdentitiesOnly": "yes",
    "IdentityAgent": "none",
    "LogLevel": "ERROR",
    "PermitLocalCommand": "no",
    "ServerAliveCountMax": "2",
    "ServerAliveInterval": "15",
    "UpdateHostKeys": "no",
}


@dataclass
class Login:
    """How one remote is talked to."""

    url: str
    config: dict[str, str]
    secrets: tuple[str, ...] = field(default=(), repr=False)  # to be taken out of whatever the remote says
    known_hosts: Path | None = None

    def presented(self) -> str:
        """The host key that was met, "type base64"; empty where none was."""
        if self.known_hosts is None or not self.known_hosts.exists():
            return ""
        lines = self.known_hosts.read_text().splitlines()
        return " ".join(lines[0].split()[1:3]) if lines else ""

    def cleaned(self, text: str) -> str:
        """What the remote said, in one line and without our secrets."""
        for secret in self.secrets:
            text = text.replace(secret, "(secret)")
        return " ".join("".join(one if one.isprintable() else " " for one in text).split())


@contextmanager
def logged_in(mirror: Mirror, *, anonymous: bool = False) -> Iterator[Login]:
    """What git needs for this mirror; gone at the end.

    `anonymous`: only to see which host key is shown. Raises RemoteRefused, RemoteFailed.
    """
    place = mirror.place()
    if place.scheme == "file":
        yield Login(local_url(place), {"protocol.file.allow": "always"})
        return
    with own_directory(MEMORY if MEMORY.is_dir() else Path(settings.NETCAIRN_VAR)) as path:
        found = {} if anonymous else secrets(mirror)
        way = over_ssh if place.scheme == "ssh" else over_https
        yield way(mirror, place, path, found)


@contextmanager
def own_directory(root: Path) -> Iterator[Path]:
    """A directory that only we may read; gone at the end, or when a process after us finds it."""
    remove_abandoned()
    path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{claimers.this_process().replace(' ', '_')}-", dir=root))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def local_url(place: Place) -> str:
    """A directory on this machine, where those who run the program allow one. Raises RemoteRefused."""
    allowed = settings.NETCAIRN_MIRRORS_DIR
    if not allowed:
        raise RemoteRefused("This server pushes to no directories; set NETCAIRN_MIRRORS_DIR, or use SSH or HTTPS.")
    if not Path(place.path).resolve().is_relative_to(Path(allowed).resolve()):
        raise RemoteRefused(f"{place.path} is not below {allowed}, where mirrors on this machine may be.")
    return place.url()


def secrets(mirror: Mirror) -> dict[str, str]:
    """The credential's secrets in clear, with its user. Raises RemoteRefused, RemoteFailed."""
    if mirror.credential is None:
        raise RemoteRefused(f"Mirror {mirror} has no credential; give it one that may write there.")
    try:
        return {"username": mirror.credential.username, **secrets_of(mirror.credential)}
    except SourceUnreachable as exc:
        raise RemoteFailed(f"Credential {mirror.credential}: {exc}") from exc
    except (SecretUnreadable, SourceRefused) as exc:
        raise RemoteRefused(f"Credential {mirror.credential}: {exc}") from exc


def over_ssh(mirror: Mirror, place: Place, path: Path, found: dict[str, str]) -> Login:
    """With OpenSSH, which sees nobody's configuration and no agent; the pinned host key, or the first that is met."""
    known = path / "known_hosts"
    pinned = bool(mirror.host_key) and bool(found)
    write(known, f"{ALIAS} {mirror.host_key}\n" if pinned else "")
    options = {
        **SSH,
        "HostName": resolved(place),
        "UserKnownHostsFile": str(known),
        "StrictHostKeyChecking": "yes" if pinned else "accept-new",
        "PreferredAuthentications": "publickey" if found else "none",
        "IdentityFile": str(path / "key") if found else "none",
    }
    if found:
        if not found["private_key"]:
            raise RemoteRefused(f"Mirror {mirror} is reached over SSH: its credential needs a private key.")
        write(path / "key", opened(found["private_key"], found["passphrase"]))
    command = ["ssh", "-F", "/dev/null"]
    for name, value in options.items():
        command += ["-o", f"{name}={value}"]
    config = {"protocol.ssh.allow": "always", "core.sshCommand": shlex.join(command), "ssh.variant": "ssh"}
    return Login(place.url(found.get("username", "nobody")), config, known_hosts=known)


def over_https(mirror: Mirror, place: Place, path: Path, found: dict[str, str]) -> Login:
    """With a token, which git's own helper reads from our file; never to another host, however it is led there."""
    token, user = found["password"], found["username"]
    if not token:
        raise RemoteRefused(f"Mirror {mirror} is reached over HTTPS: its credential needs a token as its password.")
    host = place.url().removeprefix("https://").partition("/")[0]
    kept = path / "credentials"
    write(kept, f"https://{quote(user, safe='')}:{quote(token, safe='')}@{host}\n")
    address = resolved(place)
    config = {
        "protocol.https.allow": "always",
        "credential.helper": f"store --file={shlex.quote(str(kept))}",
        "credential.useHttpPath": "false",
        "http.followRedirects": "false",
        "http.sslVerify": "true",
        "http.lowSpeedLimit": "1000",
        "http.lowSpeedTime": "30",
        "http.curloptResolve": f"{place.host}:{place.port}:{f'[{address}]' if ':' in address else address}",
    }
    if settings.NETCAIRN_MIRRORS_CA_FILE:
        config["http.sslCAInfo"] = str(settings.NETCAIRN_MIRRORS_CA_FILE)
    return Login(place.url(), config, secrets=(token, quote(token, safe="")))


def resolved(place: Place) -> str:
    """The address behind the name, asked for once and connected to as it is. Raises RemoteRefused, RemoteFailed.

    Otherwise whoever writes down mirrors reaches what this machine alone may reach.
    """
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except OSError as exc:
        raise RemoteFailed(f"The name {place.host} is not known now ({exc.strerror}).") from exc
    address = str(found[0][4][0])
    if problem := address_rule().problem(address, place.port):
        raise RemoteRefused(f"{place.host} cannot be a mirror's host: {address} {problem}.")
    return address


def opened(key: str, passphrase: str) -> str:
    """A private key without its passphrase, for which nobody would be there to be asked. Raises RemoteRefused."""
    load = load_ssh_private_key if "OPENSSH PRIVATE KEY" in key else load_pem_private_key
    try:
        loaded = load(key.encode(), passphrase.encode() or None)
        return loaded.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    except (TypeError, ValueError, UnsupportedAlgorithm):
        raise RemoteRefused("The private key of the mirror's credential does not open; enter it again.") from None


def write(path: Path, text: str) -> None:
    """A file that nobody else reads."""
    path.touch(mode=0o600)
    path.write_text(text)


def remove_abandoned() -> None:
    """Remove what a process that was killed has left."""
    for there in (MEMORY, Path(settings.NETCAIRN_VAR)):
        for left in there.glob(f"{PREFIX}*"):
            if claimers.is_gone(left.name.removeprefix(PREFIX).rpartition("-")[0].replace("_", " ")):
                shutil.rmtree(left, ignore_errors=True)
