"""Hides secrets inside a configuration from eyes without the right to see them.

Masking is never complete, and a masked text cannot be put back. It keeps the lines: line n of the masked text stands
for line n of the text. So a page that shows a difference masks the two whole files and takes the lines that it needs:
a private key is only recognised by its first line, which a patch may not hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from inventory.platforms.everywhere import ANYWHERE, BY_LINE
from inventory.platforms.idioms import TYPE
from inventory.platforms.sheet import Platform, Section

MASK = "(masked)"  # one word, no quote, no bracket of JSON or XML, ASCII: what a pattern takes for a value

_WORDS = r"password|passwd|passphrase|secret|pre-?shared-?key|private-?key|api-?key|psk|authkey"
_NO_VALUE = (
    # no value follows
    r"(?:encryption|policy|required|lifetime|profile|control|retry-interval|enable|disable|aging|access-level|serial"
    r"|change|(?:manager|operator|port-access) (?:user-name|sha)|sha(?:1|256)[ \t\r]*$"
    r"|history|complexity)\b|strength|min|max"
)
_VALUE = r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|\S+)"""

# A private key as PEM, OpenSSH, SSH2, OpenVPN or PKCS#12 have it, over lines or in one with "\n" spelled out. Before
# all others: one that masks its first line would leave the rest to be read.
_KEYS = (
    r"(?P<keep>(?:-----|---- )BEGIN (?:(?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?|OpenVPN Static key V1|PKCS12)"
    r"(?:-----| ----))(?s:.+?)(?=(?:-----|---- )END|\Z)"
)

# What no sheet may forget, and what a platform that is gone still needs.
_EVERYWHERE: tuple[str, ...] = (
    # A password inside an address: ftp://user:password@host
    r"(?P<keep>\b[A-Za-z][A-Za-z0-9+.-]{0,20}://[^\s:/@\"']{0,100}:)[^\s@\"']{1,200}(?=@)",
    # A password's hash by its shape: $1$, $5$, $6$, $8$, $9$, $14$, $2b$, $y$, $sha512$ ... Junos' $9$ can be undone.
    r"(?P<keep>\$(?:[0-9]{1,2}[a-z]?|y|gy|sha[0-9]*|pbkdf2[a-z0-9-]*)\$)[A-Za-z0-9./$=+,*-]{6,}",
    # name=value, name: value and "name": "value"
    rf"(?P<keep>\b(?i:[\w-]{{0,40}}(?:{_WORDS}))[\"']? ?[=:] ?)(?!\\$|\{{[\"\}}\s]|\[|\(masked\)){_VALUE}",
    # <password>value</password>, also with attributes and as CDATA
    rf"(?P<keep><(?i:[\w:.-]{{0,40}}(?:{_WORDS}))(?: [^<>\n]{{1,100}})?>(?:<!\[CDATA\[)?)[^<\s][^<\n]*?(?=\]?\]?>?</)",
    # Words of a command line, where the sheet has masked nothing behind them: password VALUE, secret 5 VALUE
    r"(?P<keep>(?<![\w-])(?i:[\w-]{0,40}(?:password|passwd|passphrase)|(?:[\w-]{1,40}-)?secret|pre-shared-key"
    r"|private-key|psk)[ \t]{1,8}"
    rf"{TYPE})(?![^\n]{{0,300}}\(masked\)|[\"']?-----BEGIN|{_NO_VALUE}|[0-9]{{1,2}} |\{{[ \t]*$){_VALUE}",
    # SNMP's community is a password; a community list is BGP's, and is none
    r"(?P<keep>^[^\n]{0,80}?\bsnmp(?:-server|-agent)?\b[^\n]{0,200}? community (?:(?:read|write|cipher|simple) )*)"
    rf"(?!list\b|map\b|community-name\b|\S+ \(masked\)){_VALUE}",
)

_ALREADY = re.compile(rf"{re.escape(MASK)}[^\w\s]*")  # masked by another pattern, with the punctuation behind it

_HOW = re.compile(TYPE)  # no secret, but how the masked word behind it is written

Masker = Callable[[str], str]


def mask(platform: Platform | None, text: str) -> str:
    """The text with its secrets replaced by MASK, line by line; None: the platform is not known any more."""
    for masker in _maskers(platform):
        text = masker(text)
    return text


def was_masked(content: bytes) -> bool:
    """Whether a secret in a stored text was masked before it was stored: then it cannot be put back."""
    return MASK.encode() in content


@lru_cache(maxsize=256)
def _maskers(platform: Platform | None) -> tuple[Masker, ...]:
    own = platform.secrets if platform else ()
    return tuple(_masker(secret) for secret in (_KEYS, *BY_LINE, *ANYWHERE, *own, *_EVERYWHERE))


def _masker(secret: str | Section) -> Masker:
    if isinstance(secret, Section):
        return _section_masker(secret)
    pattern = re.compile(secret, re.MULTILINE | re.ASCII)
    return lambda text: pattern.sub(_masked, text)


def _section_masker(section: Section) -> Masker:
    """Masks only between the section's first line and the first line after it."""
    whole = re.compile(section.pattern, re.MULTILINE | re.ASCII)
    inner = [_masker(secret) for secret in section.secrets]

    def masker(text: str) -> str:
        def inside(match: re.Match[str]) -> str:
            part = match.group()
            for each in inner:
                part = each(part)
            return part

        return whole.sub(inside, text)

    return masker


def _masked(match: re.Match[str]) -> str:
    """What stays, then MASK; a secret of several lines becomes as many masked lines."""
    kept = match.group("keep")
    secret = match.group()[len(kept) :]
    if _ALREADY.fullmatch(secret) or (_HOW.fullmatch(secret + " ") and _ALREADY.match(match.string, match.end() + 1)):
        return match.group()
    return kept + "\n".join(MASK if line.strip() else line for line in secret.split("\n"))
