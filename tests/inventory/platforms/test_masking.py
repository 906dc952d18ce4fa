"""Secrets are hidden line by line, and nothing else is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.platforms.blanks import any_blanks
from inventory.platforms.catalogue import read_catalogue
from inventory.platforms.masking import MASK, Masker, _masker, mask, rules
from inventory.platforms.sheet import Worded
from tests.platforms.cases import CASES, Case
from tests.platforms.masked import OTHERS, SPELLINGS, published, readable, still_readable, tried, written, wrong
from tests.sampling import sampled

LINES = [line for case in CASES for file in case.files for line in file.stored.decode("latin-1").split("\n")]
TRIED = [line for slug in read_catalogue(None).sheets for line in written(slug)]
FRAGMENTS = st.sampled_from(
    [*LINES, *TRIED, "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----", MASK]
) | st.text(st.characters(max_codepoint=255), max_size=40)


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_exactly_the_lines_with_secrets_are_masked(case: Case) -> None:
    """Too little shows a password; too much hides the configuration from those who must read it."""
    for file in case.files:
        text = file.stored.decode("latin-1")
        pairs = zip(text.split("\n"), mask(case.platform, text).split("\n"), strict=True)

        assert [masked for plain, masked in pairs if masked != plain] == file.masked


@pytest.mark.parametrize("slug", read_catalogue(None).sheets)
def test_a_secret_is_found_in_every_line_that_may_hold_one(slug: str) -> None:
    """The lines of `secrets.txt` whose secret is Zimt-4711 lose it; the others only look as if they had one."""
    assert wrong(slug, written(slug)) == []


@pytest.mark.parametrize(("slug", "lines"), published().items(), ids=published())
def test_a_secret_is_found_in_lines_that_others_have_published(slug: str, lines: list[str]) -> None:
    """Who writes both the masks and the lines forgets the same things in both."""
    assert wrong(slug, lines) == []


@pytest.mark.parametrize(
    "how", sampled(SPELLINGS, ("in double quotation marks", "with signs", "with tabs between words"))
)
def test_a_secret_is_hidden_however_its_line_is_spelled(how: str) -> None:
    """A device quotes what has a blank or a sign in it, and puts values in columns; templates indent lines."""

    assert {slug: found for slug, each in tried().items() if (found := still_readable(slug, each, how))} == {}


@pytest.mark.parametrize(("word", "most"), sampled(OTHERS.items(), (("password", 11),)))
def test_a_secret_may_be_a_word_of_the_language(word: str, most: int) -> None:
    """A community that is called public is one that somebody uses; what stays readable stands in sentences."""

    assert sum(readable(slug, each, word) for slug, each in tried().items()) <= most


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^key name value", "key \t name\tvalue"),
        (r"[a b]x[^ ]", "bxy"),
        (r"a {2}b {2,}c +d *e ?f", "a  b   c\t d\te\tf"),
        (r"(?<!not )(?<=(so |o[)] ))it is", "o)\tit  is"),
        (r"^ one", " one"),
        (r"colon:[ \t]?value", "colon:\t\tvalue"),
        (r"escaped\ blank, \(bracket [)] x", "escaped blank, (bracket )  x"),
        (r"(?x:) a b", " a b"),
        (r"lazy ??b c", "lazy b\t c"),
        (r"greedy ?+b c", "greedyb  c"),
    ],
)
def test_a_blank_in_a_pattern_is_any_blanks(pattern: str, text: str) -> None:
    """A device that puts its values in a column would show them."""
    assert re.fullmatch(f".*?{any_blanks(pattern)}", text)


def test_how_deep_a_line_stands_is_counted() -> None:
    """A pattern for a line one blank deep means no line deeper."""
    assert not re.search(any_blanks(r"^ one"), "  one")


RULES = dict.fromkeys(rule for sheet in read_catalogue(None).sheets.values() for rule in rules(sheet))
WORDED = [rule for rule in RULES if isinstance(rule, Worded)]
BOTH = [(_masker(rule), _masker(rule.secret)) for rule in WORDED]  # by line, and as a whole


@pytest.mark.parametrize(("by_line", "whole"), sampled(BOTH, BOTH[::4]), ids=[rule.words[0] for rule in WORDED])
def test_a_line_without_the_words_of_a_secret_has_none(by_line: Masker, whole: Masker) -> None:
    """What is not looked at for the sake of speed would be shown."""
    text = "\n".join([*LINES, *TRIED, *(line for lines in published().values() for line in lines)])
    for spelled in (text, text.upper().replace(" ", "\t")):
        assert by_line(spelled) == whole(spelled)


@given(lines=st.lists(FRAGMENTS | st.text(max_size=20), max_size=5), ends=st.sampled_from(["", "\n", "\r\n"]))
def test_looking_at_lines_is_looking_at_the_text(lines: list[str], ends: str) -> None:
    """Also in a text that no device has said, with characters whose small form is longer."""
    text = "\n".join(lines) + ends
    assert [by_line(text) for by_line, _ in BOTH] == [whole(text) for _, whole in BOTH]


@given(slug=st.sampled_from(sorted(read_catalogue(None).sheets)), lines=st.lists(FRAGMENTS, max_size=12))
def test_masking_twice_is_masking_once_and_keeps_the_lines(slug: str, lines: list[str]) -> None:
    """Pages put masked lines beside line numbers of the true text."""
    platform = read_catalogue(None).get(slug)
    text = "\n".join(lines)

    once = mask(platform, text)

    assert once.count("\n") == text.count("\n")
    assert mask(platform, once) == once


def test_what_is_masked_already_is_not_masked_again() -> None:
    """What was masked before it was stored is masked once more when it is shown."""
    sheets = read_catalogue(None).sheets
    once = {slug: mask(platform, "\n".join(written(slug))) for slug, platform in sheets.items()}

    assert {slug: mask(sheets[slug], text) for slug, text in once.items()} == once


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----\n", ["MIIEow", "IBAAK"]),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\ncut off", ["b3BlbnNzaC1rZXk", "cut off"]),
        (r'key "-----BEGIN PRIVATE KEY-----\nMIIEow\n-----END PRIVATE KEY-----\n";', ["MIIEow"]),
        ("archive ftp://anna:hunter2@192.0.2.1/x", ["hunter2"]),
        ("root:$6$rounds$Zx9kQ2bVtYp0:19000::", ["Zx9kQ2bVtYp0"]),
        ("hash $2b$12$abcdefghijklmnopqrstuv", ["abcdefghijklmnopqrstuv"]),
        ("wpa_passphrase=hunter2", ["hunter2"]),
        ('{"password": "hunter 2", "user": "anna"}', ["hunter 2"]),
        ("<password>hunter2</password>", ["hunter2"]),
        ("set admin password hunter2", ["hunter2"]),
        ("set admin secret 5 hunter2", ["hunter2"]),
        ("snmp-agent community read hunter2", ["hunter2"]),
        ("snmp-server host 192.0.2.9 version 2c hunter2", ["hunter2"]),
        ("snmp-server user u g v3 auth sha hunter2 priv aes 128 hunter3", ["hunter2", "hunter3"]),
        ("radius-server host 192.0.2.5 auth-port 1812 key 7 hunter2", ["hunter2"]),
        ("set tacacs server 1 key encrypted hunter2", ["hunter2"]),
        (" ip ospf message-digest-key 1 md5 7 hunter2", ["hunter2"]),
        ("ntp authentication-key 1 md5 hunter2 7", ["hunter2"]),
        (" neighbor 192.0.2.4 password cipher hunter2", ["hunter2"]),
        (" pre-shared-key ascii-text hunter2;", ["hunter2"]),
        ('   "passkey": "hunter2",', ["hunter2"]),
        ("trap-community=hunter2", ["hunter2"]),
        ("rocommunity hunter2 192.0.2.0/24", ["hunter2"]),
        ("-----BEGIN OpenVPN Static key V1-----\nabcd\n-----END OpenVPN Static key V1-----", ["abcd"]),
        ("-----BEGIN PGP PRIVATE KEY BLOCK-----\nabcd\n-----END PGP PRIVATE KEY BLOCK-----", ["abcd"]),
        ("-----BEGIN PKCS12-----\nabcd\n-----END PKCS12-----", ["abcd"]),
        ("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nabcd\n---- END SSH2 ENCRYPTED PRIVATE KEY ----", ["abcd"]),
    ],
)
def test_what_no_sheet_may_forget_is_masked_for_every_platform(text: str, hidden: list[str]) -> None:
    """A sheet of the user's may name no secret at all, and a platform may be gone while its versions are kept."""
    masked = mask(None, text)

    assert not [word for word in hidden if word in masked]
    assert MASK in masked


@pytest.mark.parametrize(
    "line",
    [
        "service password-encryption",
        "ip community-list standard SECRETS permit 65000:1",
        "password policy strict",
        "key chain CORE",
        "  key 1",
        " ip authentication key-chain eigrp 1 CORE",
        " ip ospf authentication message-digest",
        "crypto key generate rsa modulus 2048",
        "set system login user anna authentication public-keys laptop key AAAAB3NzaC1yc2E",
        "ntp authentication-key trusted 1",
        "snmp-server enable traps snmp authentication linkdown",
        "snmp-server group g v3 priv read v1default",
        "aaa authentication login default group radius local",
        "radius-server timeout 5",
        " tunnel key 12345",
        "set policy-options community C members 65000:1",
        "set key public file /x.pem",
        "device token enable",
        "description pass traffic",
        "banner motd Users must login with key card",
    ],
)
def test_what_only_speaks_of_secrets_stays(line: str) -> None:
    """A masked setting is one that nobody can review."""
    assert mask(None, line) == line


HOSTILE = ["\n", " ", "a-", "password ", "x://y:", '\\"', "set radius snmp-server key ", "snmp auth md5 ", "-key"]


@pytest.mark.parametrize("piece", sampled(HOSTILE, ("a-", "password ", "-key")))
def test_a_hostile_text_does_not_keep_a_worker(piece: str) -> None:
    """A pattern whose work grows with the square of a text would not come back from these for hours."""
    text = piece * (50_000 // len(piece))
    every = dict.fromkeys(secret for sheet in read_catalogue(None).sheets.values() for secret in sheet.secrets)

    lines = {_masker(secret)(text).count("\n") for secret in every} | {mask(None, text).count("\n")}

    assert lines == {text.count("\n")}


def test_no_rule_repeats_a_group_without_giving_back() -> None:
    """Python before 3.11.5, which Debian 12 has, matches such a group wrongly, and half a secret stays to be read."""
    told = [(platform.slug, str(rule)) for platform in read_catalogue(None).sheets.values() for rule in rules(platform)]

    assert [found for found in told if re.search(r"\)(?:\{\d*,?\d*\}|[*+?])\+", found[1])] == []
