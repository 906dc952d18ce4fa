"""Takes what is somebody's own out of a configuration that is to be given away: secrets, names, addresses, serials.

What is replaced is replaced by something of the same form, and everywhere by the same: the configuration stays one
that such a device could have. A disguise is made with a random key that nobody keeps, so nothing leads back. It is
never complete: a person reads every file before it leaves the house.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice

from inventory.platforms.masking import MASK, mask
from inventory.platforms.sheet import Platform

_ANYWHERE = re.compile(r"(?![a-z-]+$).{5,}")  # no command line has a word like it; others go where they were seen only
_V4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]\d)")
_V6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
_MAC = re.compile(
    r"(?<![\w:.-])(?:(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{4}[.-]){2}[0-9A-Fa-f]{4})(?![\w:.-])"
)
_SERIAL = re.compile(
    r"(?i)(?P<keep>\b(?:serial(?:[ _-]?(?:number|num|no))?|processor board id|chassis id|license[ _-]?(?:key|udi)"
    r"|s/n|sn|software id|udi pid \S+ sn)\b[ .]{0,3}[:=]?[ ]{0,20})(?P<value>[\"']?[A-Z0-9][A-Z0-9-]{4,40}\b)"
)
_USER = re.compile(
    r"(?m)^[ \t]*(?:username|user(?:-name)?|set system login user|login user)[ \t]+\"?([A-Za-z][\w.@-]{2,})"
)
_NOBODY = {"root", "admin", "user", "system", "console", "manager", "operator", "guest", "default", "anonymous"}
_HOST = re.compile(r"(?m)^[ \t]*(?:set )?(?:system )?(?:hostname|host-name|sysname|switchname)[ \t]+\"?([\w.-]{3,})")
_HASH = re.compile(r"\$[0-9a-z]{1,8}\$")  # how a password's hash says its kind
_BY = re.compile(r"\bby (?:user )?([A-Za-z][\w.@-]{2,})")
_TEXT = re.compile(
    r"(?i)(?P<keep>^[ \t]*(?:\S+[ \t]){0,8}?(?:description|remark|alias|(?:sys-?)?contact|(?:sys-?)?location|comment)"
    r"(?:[ \t]*[:=])?[ \t]*)(?P<value>\S.*)$"
)
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_DOMAIN = re.compile(r"(?i)(?P<keep>\b(?:domain[- ]?name|domain|search)[ \t:=]+)(?P<value>[\w-]+(?:\.[\w-]+)+)")
_BANNER = re.compile(r"^[ \t]*banner \S+ (\^.|\S)")
_WORD = re.compile(r"[^\W\d_]{2,}|\d{3,}")
_KEPT_NETWORKS = [
    ipaddress.ip_network(network)
    for network in ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
]
_NEW_NETWORK = int(ipaddress.ip_address("198.18.0.0"))  # for benchmarks (RFC 2544): nobody's, and 512 networks of /24


@dataclass
class Disguise:
    """One disguise for all that one device said."""

    key: bytes  # random; forgotten afterwards
    names: dict[str, str] = field(default_factory=dict)  # the device's, its owner's, its users': real -> false
    secrets: dict[str, str] = field(default_factory=dict)
    _networks: dict[int, int] = field(default_factory=dict)
    _networks6: dict[int, int] = field(default_factory=dict)

    def learn_names(self, text: str, *known: str) -> None:
        """Remember who is named in a text, and what is known to be somebody's name."""
        for name in (*known, *_HOST.findall(text), *_USER.findall(text), *_BY.findall(text)):
            if len(name) > 2 and name.lower() not in _NOBODY:
                self.names.setdefault(name, self.like(name))

    def lines(self, platform: Platform, text: str) -> list[tuple[str, str]]:
        """Each line of a whole file as it is and in disguise."""
        masked = mask(platform, text).split("\n")
        pairs = zip(text.split("\n"), masked, strict=True)
        hidden = [(line, self.without_secrets(line, shown)) for line, shown in pairs]
        in_banner = banner_lines([line for line, _ in hidden])
        return [
            (line, self.like_words(new) if at in in_banner else self.line(new)) for at, (line, new) in enumerate(hidden)
        ]

    def without_secrets(self, line: str, masked: str) -> str:
        """The line with something of the same form where the masked line hides something."""
        if line == masked:
            return line
        pieces = masked.split(MASK)
        found = re.fullmatch("(.+?)".join(map(re.escape, pieces)), line)
        if found is None:  # a secret of several lines: all of this one belongs to it
            return self.like(line)
        for secret in found.groups():
            self.secrets.setdefault(secret, self.like(secret))
        return "".join(
            piece + self.secrets.get(secret, "") for piece, secret in zip(pieces, (*found.groups(), ""), strict=True)
        )

    def line(self, line: str) -> str:
        """Any line without secrets: free text, serial numbers, addresses and names replaced."""
        line = _TEXT.sub(lambda found: found["keep"] + self.like_words(found["value"]), line)
        line = _SERIAL.sub(lambda found: found["keep"] + self.like(found["value"]), line)
        line = _DOMAIN.sub(lambda found: found["keep"] + self.like(found["value"]), line)
        line = _MAIL.sub(lambda found: self.like(found.group()), line)
        for pattern, false in ((_MAC, self.like), (_V6, self.v6), (_V4, self.v4)):
            line = pattern.sub(replaced_by(false), line)
        return self.known(line, self.names)

    def piece(self, text: str) -> str:
        """A line whose secrets were seen to: those that stand elsewhere in it too, and the rest as any line."""
        return self.line(self.known(text, self.telling()))

    def fragment(self, text: str) -> str:
        """A line that a terminal has broken or dressed, so that no secret is recognised by where it stands."""
        return self.line(self.known(text, self.secrets))

    def telling(self) -> dict[str, str]:
        """The secrets that are replaced wherever they stand: those that no command line could hold as a word."""
        return {old: new for old, new in self.secrets.items() if _ANYWHERE.match(old) and old != new}

    def left_in(self, text: str) -> int:
        """How many of these still stand in a text."""
        return sum(self.known(text, {old: new}) != text for old, new in self.telling().items())

    def known(self, line: str, replacements: dict[str, str]) -> str:
        """Every whole word of a list replaced, the longest first."""
        present = sorted((word for word in replacements if word in line), key=len, reverse=True)
        if not present:
            return line
        pattern = r"(?<![\w-])(?:" + "|".join(map(re.escape, present)) + r")(?![\w-])"
        return re.sub(pattern, lambda found: replacements[found.group()], line)

    def like(self, text: str) -> str:
        """Something else of the same form: a letter for a letter, a digit for a digit."""
        kind = _HASH.match(text)
        if kind:
            return kind.group() + self.like(text[kind.end() :])
        letters = "abcdef" if re.fullmatch(r"[0-9A-Fa-f:.-]+", text) else "abcdefghijklmnopqrstuvwxyz"
        return "".join(like_one(old, byte, letters) for old, byte in zip(text, self.bytes_for(text), strict=False))

    def like_words(self, text: str) -> str:
        """Free text with other words of the same length."""
        return _WORD.sub(lambda found: self.like(found.group()), text)

    def bytes_for(self, text: str) -> Iterator[int]:
        """The same bytes for the same text, and no way back."""
        digest = hmac.new(self.key, text.encode("utf-8", "surrogateescape"), hashlib.sha256).digest()
        return islice(cycle(digest), len(text))

    def v4(self, text: str) -> str:
        """An address in a network that is nobody's; the same /24 stays one. Masks and what is nobody's stay."""
        try:
            address = ipaddress.IPv4Address(text)
        except ValueError:
            return text
        if any(address in network for network in _KEPT_NETWORKS) or is_mask(int(address)):
            return text
        number = self._networks.setdefault(int(address) >> 8, len(self._networks))
        return str(ipaddress.IPv4Address(_NEW_NETWORK + (number % 512 << 8) + (int(address) & 0xFF)))

    def v6(self, text: str) -> str:
        """An address of the documentation's prefix; the same /64 stays one."""
        try:
            address = ipaddress.IPv6Address(text)
        except ValueError:
            return text
        if address.is_loopback or address.is_unspecified or address.is_multicast or text.lower().startswith("2001:db8"):
            return text
        number = self._networks6.setdefault(int(address) >> 64, len(self._networks6) + 1)
        prefix = 0xFE80 << 112 if address.is_link_local else 0x20010DB8 << 96 | number << 64
        host = int(address) & (2**64 - 1)
        return str(ipaddress.IPv6Address(prefix | (next(self.bytes_for(text)) + 1 if host > 0xFFFF else host)))


def replaced_by(false: Callable[[str], str]) -> Callable[[re.Match[str]], str]:
    """What `re.sub` calls for the whole match."""
    return lambda found: false(found.group())


def like_one(old: str, byte: int, letters: str) -> str:
    """Another character of the same kind."""
    if old.isdigit() and old.isascii():
        return str(byte % 10)
    if old.isalpha() and old.isascii():
        new = letters[byte % len(letters)]
        return new.upper() if old.isupper() else new
    return "x" if old.isalpha() else old


def is_mask(number: int) -> bool:
    """Whether it is a netmask or a wildcard mask: ones and then zeros, or the other way round."""
    flipped = number ^ 0xFFFFFFFF
    return (flipped & (flipped + 1)) == 0 or (number & (number + 1)) == 0


def banner_lines(lines: list[str]) -> set[int]:
    """Numbers of the lines inside banners as Cisco's command lines have them, from 0."""
    inside, sign = set[int](), ""
    for at, line in enumerate(lines):
        if sign:
            inside.add(at)
            sign = "" if sign in line else sign
        elif (found := _BANNER.match(line)) and found[1] not in line[found.end() :]:
            sign = found[1]
    return inside
