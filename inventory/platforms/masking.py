"""Hides secrets inside a configuration from eyes without the right to see them.

Masking is never complete, and a masked text cannot be put back. It keeps the lines: line n of the masked text stands
for line n of the text. So a page that shows a difference masks the two whole files and takes the lines that it needs:
a private key is only recognised by its first line, which a patch may not hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import accumulate, groupby

from inventory.platforms.blanks import any_blanks
from inventory.platforms.daemons import DAEMONS
from inventory.platforms.everywhere import ANYWHERE, BROKEN, BY_LINE
from inventory.platforms.idioms import TYPE
from inventory.platforms.programs import PROGRAMS
from inventory.platforms.sentences import SENTENCES
from inventory.platforms.shapes import SHAPES
from inventory.platforms.sheet import Platform, Section, Worded

MASK = "(masked)"  # one word, no quote, no bracket of JSON or XML, ASCII: what a pattern takes for a value

_WORDS = r"password|passwd|passphrase|secret|pre-?shared-?key|private-?key|api-?key|psk|authkey"
_IN_WORDS = ("passw", "passphrase", "secret", "key", "psk")  # one of them is in each of these
_NO_VALUE = (
    # no value follows
    r"(?:encryption|hardening|reset|(?:serial|telnet|ssh|console) (?:none|local|radius|tacacs)|key-?chain"
    r"|shared-secret profile|\S+[ \t]+id|ckn"
    r"|policy|required|lifetime|profile|control|retry-interval|enable|disable|aging|access-level|serial"
    r"|change|input[ \t\r]*$|(?:manager|operator|port-access) (?:user-name|sha)|sha(?:1|256)[ \t\r]*$"
    r"|is|was|import|export|history|complexity|security-length|keyboard|publickey|change-type|format)\b|strength|min|max"
)
_VALUE = r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|\S+)"""
_SWITCH = r"[\"']?(?i:enabled?|disabled?|true|false|yes|no|on|off)[\"']?[,;]?[ \t\r]*$"  # a setting, and no secret

# A private key as PEM, OpenSSH, SSH2, OpenVPN or PKCS#12 have it, over lines or in one with "\n" spelled out. Before
# all others: one that masks its first line would leave the rest to be read.
_KEYS = (
    r"(?P<keep>(?:-----|---- )BEGIN (?:(?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?|OpenVPN Static key V1|PKCS12)"
    r"(?:-----| ----))(?s:.+?)(?=(?:-----|---- )END|\Z)"
)

_WEAK = ("password", "secret", "private", "key")  # words of the language that are somebody's password

# What no sheet may forget, and what a platform that is gone still needs.
_EVERYWHERE: tuple[Worded, ...] = (
    # A password inside an address: ftp://user:password@host
    Worded(
        ("://",),
        r"(?P<keep>\b[A-Za-z][A-Za-z0-9+.-]{0,20}://[^\s:/@\"']{0,100}:)(?:[^\s/\"']{1,200}|[^\s@\"']{1,200})(?=@)",
    ),
    # A password's hash by its shape: $1$, $5$, $6$, $8$, $9$, $14$, $2b$, $y$, $sha512$ ... Junos' $9$ can be undone.
    Worded(
        ("$",),
        r"(?P<keep>\$(?:[0-9]{1,2}[a-z]?|y|gy|sha[0-9]*|pbkdf2[a-z0-9-]*)\$)(?!\(masked)[^\s\"'<>;,)\]}]{6,}",
    ),
    # name=value, name: value and "name": "value"
    Worded(
        _IN_WORDS,
        rf"(?P<keep>\b(?i:[\w-]{{0,40}}(?:{_WORDS}))[\"']?[ \t]?[=:][ \t]?)(?!{_SWITCH}|\\$|\{{[\"{{\}}\s]|\["
        rf"|\(masked\)){_VALUE}",
    ),
    # <password>value</password>, also with attributes and as CDATA
    Worded(
        ("</",),
        rf"(?P<keep><(?i:[\w:.-]{{0,40}}(?:{_WORDS}))(?: [^<>\n]{{1,100}})?>(?:<!\[CDATA\[)?)"
        r"[^<\s][^<\n]*?(?=\]?\]?>?</)",
    ),
    # Words of a command line, where the sheet has masked nothing behind them: password VALUE, secret 5 VALUE
    Worded(
        _IN_WORDS,
        r"(?P<keep>(?<![\w-])(?i:[\w-]{0,40}(?:(?<!\bno)(?<!\bno-)password|(?<!base-)passwd|passphrase)|(?:[\w-]{1,40}-)?secret|pre-shared-key"
        r"|private-key|psk)[ \t]{1,8}"
        rf"(?:set[ \t]{{1,4}})?{TYPE})(?!\]|[^\n]{{0,300}}\(masked\)|[\"']?-----BEGIN|{_NO_VALUE}|[0-9]{{1,2}} "
        rf"|\{{(?:[ \t]|$)|\{{\{{|\}}){_VALUE}",
    ),
    # SNMP's community is a password; a community list is BGP's, and is none
    Worded(
        ("snmp",),
        r"(?P<keep>^[^\n]{0,80}?\bsnmp(?:-server|-agent)?\b[^\n]{0,200}? community (?:(?:read|write|cipher|simple) )*)"
        r"(?!(?:list|map|community|community-name|security-level|add|set)\b|\[[ \t]"
        rf"|[\w-]{{2,30}}=\S|\S+ \(masked\)){_VALUE}",
    ),
    # What was masked was how the last word is written: password (masked) 5 VALUE, shared-secret (masked) 1 7 VALUE
    Worded(
        ("(masked)",),
        r"(?P<keep>\b(?:password|secret|key|community)[ \t]+\(masked\)[ \t]+(?:[0-9]{1,2}[ \t]+)?[05-9][ \t]+)"
        rf"(?!\(masked\)){_VALUE}(?=[ \t\r]*$)",
    ),
    # A password that is itself such a word was taken for how the next one is written: md5 password (masked)
    Worded(
        ("(masked)",),
        r"(?P<keep>(?<!\w)(?i:[\w-]{0,30}(?:key|secret|password|community|community-map|md5|sha[0-9]{0,3}|priv|hash"
        rf"|phrase|pmk|hex|(?:des|aes)-?[0-9]{{0,3}}))[ \t]+)(?:{'|'.join(_WEAK)})(?=[ \t]+\(masked\))",
    ),
    Worded(
        ("(masked)",),
        r"(?P<keep>\b(?:auth|priv)[^\n]{0,80}\(masked\)[ \t]+(?:(?:aes|des)[\w-]{0,8}[ \t]+)?)"
        rf"(?:{'|'.join(_WEAK)})(?=[ \t\r]*(?:$|engineID))",
    ),
)

_ALREADY = re.compile(rf"{re.escape(MASK)}[^\w\s]*")  # masked by another pattern, with the punctuation behind it

_HOW = re.compile(rf"{TYPE}|[=:] ")  # no secret, but how the word behind it is written
_MORE = re.compile(
    r"[ \t]+(?!(?i:r[ow])(?:[ \t\r]|$))(?:\(masked\)|[^\s;{}(\[|])", re.M
)  # another word, that may be it

# The rest of words in quotation marks, for patterns that take the first word alone
_REST = {'"': re.compile(r"""(?:[^"\\\n]|\\.)*\""""), "'": re.compile(r"[^'\n]*'")}

Masker = Callable[[str], str]
Hide = Callable[[re.Match[str]], tuple[str, int]]  # what is written instead of a match, and up to where


def mask(platform: Platform | None, text: str) -> str:
    """The text with its secrets replaced by MASK, line by line; None: the platform is not known any more."""
    for masker in _maskers(platform):
        text = masker(text)
    return text


def was_masked(content: bytes) -> bool:
    """Whether a secret in a stored text was masked before it was stored: then it cannot be put back."""
    return MASK.encode() in content


def rules(platform: Platform | None) -> tuple[str | Section | Worded, ...]:
    """All that is taken for a secret of this platform, in the order in which it is looked for."""
    return (
        _KEYS,
        BROKEN,
        *BY_LINE,
        *ANYWHERE,
        *PROGRAMS,
        *DAEMONS,
        *SENTENCES,
        *(platform.secrets if platform else ()),
        *_EVERYWHERE,
        *SHAPES,
    )


@lru_cache(maxsize=256)
def _maskers(platform: Platform | None) -> tuple[Masker, ...]:
    """The rules in their order; those that look at lines alone are taken together."""
    maskers: list[Masker] = []
    for _, run in groupby(rules(platform), lambda rule: isinstance(rule, Worded)):
        together = list(run)
        worded = [rule for rule in together if isinstance(rule, Worded)]
        maskers += [_by_lines(worded)] if worded else map(_masker, together)
    return tuple(maskers)


def _by_lines(worded: list[Worded]) -> Masker:
    """One masker for several rules: it looks once for the lines that any of them may mean, and at equal ones once."""
    each = [(_looked_for(rule), *_search(rule.secret)) for rule in worded]
    every = {word for words, _, _ in each for word in words}
    any_of = tuple(word for word in every if not any(other in word for other in every - {word}))

    def by_lines(text: str) -> str:
        lines = text.split("\n")
        meant = _Lines(lines).having(any_of)
        if not meant:
            return text
        different = list(dict.fromkeys(lines[number] for number in meant))
        shown = dict(zip(different, _hidden(different, each), strict=True))
        for number in meant:
            lines[number] = shown[lines[number]]
        return "\n".join(lines)

    return by_lines


def _hidden(lines: list[str], each: list[tuple[tuple[str, ...], re.Pattern[str], Hide]]) -> list[str]:
    """The lines without their secrets, rule by rule. No word that a rule looks for comes by masking, but MASK."""
    where, shown, masked = _Lines(lines), list(lines), set[int]()
    for words, pattern, hide in each:
        having = where.having(words)
        for number in sorted(having | masked) if MASK in words else having:
            if pattern.search(shown[number]):
                line = _replaced(pattern, hide, shown[number])
                if line != shown[number]:
                    shown[number] = line
                    masked.add(number)
    return shown


@lru_cache(maxsize=4096)
def _masker(secret: str | Section | Worded) -> Masker:
    if isinstance(secret, Worded):
        return _by_lines([secret])
    pattern, hide = _search(secret)
    return lambda text: _replaced(pattern, hide, text)


@lru_cache(maxsize=4096)
def _search(secret: str | Section) -> tuple[re.Pattern[str], Hide]:
    """What is looked for, and what becomes of it."""
    written = secret.pattern if isinstance(secret, Section) else secret
    hide = _inside(secret) if isinstance(secret, Section) else _masked
    return re.compile(any_blanks(written), re.MULTILINE | re.ASCII), hide


def _inside(section: Section) -> Hide:
    """Masks only between the section's first line and the first line after it."""
    inner = [_masker(secret) for secret in section.secrets]

    def inside(match: re.Match[str]) -> tuple[str, int]:
        part = match.group()
        for each in inner:
            part = each(part)
        return part, match.end()

    return inside


def _replaced(pattern: re.Pattern[str], hide: Hide, text: str) -> str:
    """The text with what the pattern finds in it hidden."""
    pieces, at, start = [], 0, 0
    while match := pattern.search(text, start):
        instead, after = hide(match)
        pieces += [text[at : match.start()], instead]
        at, start = after, max(after, match.start() + 1)
    return "".join([*pieces, text[at:]]) if pieces else text


_FOLDED = {ord(digit): "0" for digit in "123456789"} | {ord("\t"): " "}


def _folded(text: str) -> str:
    """What is looked at for a word: small letters, one digit for all, a blank for a tab."""
    return text.lower().translate(_FOLDED)


def _looked_for(rule: Worded) -> tuple[str, ...]:
    """Its words; of one with blanks within the longest part, for a device may write several of them."""
    words = (max(word.split(), key=len) if " " in word.strip() else word for word in rule.words)
    return tuple(dict.fromkeys(map(_folded, words)))


class _Lines:
    """Which lines of a text have a word. Lines that differ in digits only, most of a configuration, are one kind."""

    def __init__(self, lines: list[str]) -> None:
        kinds: dict[str, list[int]] = {}
        for number, kind in enumerate(_folded("\n".join(lines)).split("\n")):
            kinds.setdefault(kind, []).append(number)
        self._text = "\n".join(kinds)
        ends = accumulate(len(kind) + 1 for kind in kinds)
        self._numbers = dict(zip(ends, kinds.values(), strict=True))  # where a kind ends -> its lines
        self._found: dict[str, set[int]] = {}

    def having(self, words: tuple[str, ...]) -> set[int]:
        """The numbers of the lines that have one of the words, from 0."""
        for word in words:
            if word not in self._found:
                self._found[word] = {number for end in self._ends(word) for number in self._numbers[end]}
        return self._found[words[0]] if len(words) == 1 else set[int]().union(*(self._found[word] for word in words))

    def _ends(self, word: str) -> Iterator[int]:
        """Where each kind of line ends that has the word."""
        at = self._text.find(word)
        while at >= 0:
            end = self._text.find("\n", at) + 1 or len(self._text) + 1
            yield end
            at = self._text.find(word, end)


def _masked(match: re.Match[str]) -> tuple[str, int]:
    """What stays, then MASK; a secret of several lines becomes as many masked lines."""
    kept = match.group("keep")
    secret = match.group()[len(kept) :]
    if _ALREADY.fullmatch(secret) or (_HOW.fullmatch(secret + " ") and _MORE.match(match.string, match.end())):
        return match.group(), match.end()
    return kept + "\n".join(MASK if line.strip() else line for line in secret.split("\n")), _end(kept, secret, match)


def _end(kept: str, secret: str, match: re.Match[str]) -> int:
    """Where the secret ends: where the quotation mark that it begins with, or that stands before it, is closed."""
    inside = secret[:1] in _REST
    mark = secret[:1] if inside else kept[-1:]
    if mark not in _REST or mark in secret[1:] or (not inside and kept[-2:-1].isalnum()):
        return match.end()
    rest = _REST[mark].match(match.string, match.end())
    return match.end() if rest is None else rest.end() - (not inside)
