"""SSH host keys as text, without Django: fingerprints, and what a `known_hosts` file says of an address.

A host key is "type base64", as it stands in `known_hosts` (the manual page sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

PREFERRED = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")
MAX_BYTES = 20 * 1024 * 1024
_PLAIN = re.compile(r"[^|!*?]+")
_HASHED = re.compile(r"\|1\|([A-Za-z0-9+/=]+)\|([A-Za-z0-9+/=]+)")


def fingerprint(host_key: str) -> str:
    """`type SHA256:...` as ssh shows it; empty for no key."""
    kind, _, encoded = host_key.partition(" ")
    if not encoded:
        return ""
    try:
        digest = hashlib.sha256(base64.b64decode(encoded, validate=True)).digest()
    except binascii.Error:
        return f"{kind} (unreadable)"
    return f"{kind} SHA256:{base64.b64encode(digest).decode('ascii').rstrip('=')}"


def is_host_key(host_key: str) -> bool:
    """Whether the text is one key of a type that can be pinned: what it says and what it holds agree."""
    kind, _, encoded = host_key.partition(" ")
    try:
        blob = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return False
    length = int.from_bytes(blob[:4], "big")
    return kind in PREFERRED and blob[4 : 4 + length] == kind.encode("ascii") and len(blob) > 4 + length


@dataclass(frozen=True)
class KnownHost:
    """One line of the file: the hosts that it names, and a key of theirs."""

    line: int
    hosts: str
    key: str

    def names(self, address: str, port: int) -> bool:
        """Whether it is about this address and port."""
        wanted = name_in_file(address, port)
        hashed = _HASHED.fullmatch(self.hosts)
        if hashed:
            return _hashes_to(wanted, salt=hashed.group(1), digest=hashed.group(2))
        patterns = self.hosts.lower().split(",")
        if any(pattern.startswith("!") and _fits(wanted, pattern[1:]) for pattern in patterns):
            return False
        return any(_fits(wanted, pattern) for pattern in patterns)


def _fits(wanted: str, pattern: str) -> bool:
    # The brackets of [host]:port are no set of characters, so fnmatch must not see them.
    return fnmatchcase(wanted.replace("[", "("), pattern.replace("[", "("))


def _hashes_to(wanted: str, *, salt: str, digest: str) -> bool:
    try:
        key, expected = base64.b64decode(salt), base64.b64decode(digest)
    except binascii.Error:
        return False
    return hmac.compare_digest(hmac.digest(key, wanted.encode(), "sha1"), expected)


class KnownHosts:
    """A `known_hosts` file."""

    def __init__(self, entries: Iterable[KnownHost], unreadable: Iterable[int] = ()) -> None:
        """`unreadable`: lines that are none of the format, or hold a key that nothing here can check."""
        self.entries, self.unreadable = tuple(entries), tuple(unreadable)
        self._plain: dict[str, set[str]] = {}
        self._others: list[KnownHost] = []  # with patterns, or hashed: these have to be tried one by one
        for entry in self.entries:
            if _PLAIN.fullmatch(entry.hosts):
                for host in entry.hosts.lower().split(","):
                    self._plain.setdefault(host, set()).add(entry.key)
            else:
                self._others.append(entry)

    def keys_of(self, address: str, port: int) -> list[str]:
        """The keys of whatever has this address and port, the strongest type first, each once."""
        found = set(self._plain.get(name_in_file(address, port), ()))
        found |= {entry.key for entry in self._others if entry.names(address, port)}
        return sorted(found, key=lambda key: (PREFERRED.index(key.partition(" ")[0]), key))


def name_in_file(address: str, port: int) -> str:
    """How the file names an address: the port only where it is not SSH's own."""
    return (address if port == 22 else f"[{address}]:{port}").lower()


def read_known_hosts(text: str) -> KnownHosts:
    """Read the file. Lines of certificate authorities and of revoked keys pin nothing and are left out."""
    entries, unreadable = [], []
    for number, line in _lines(text):
        fields = line.split()
        if fields[0].startswith("@"):
            continue
        key = " ".join(fields[1:3])
        if len(fields) < 3 or not is_host_key(key):
            unreadable.append(number)
        else:
            entries.append(KnownHost(number, fields[0], key))
    revoked = {" ".join(line.split()[2:4]) for _, line in _lines(text) if line.startswith("@revoked")}
    return KnownHosts((entry for entry in entries if entry.key not in revoked), unreadable)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield number, stripped
