r"""Secrets by what they look like: the last net, for keywords that nobody has heard of.

What a machine has made, a hash, a key or an encrypted password, does not look like a word. Serial numbers,
certificates and names of circuits do not either, so it is only looked for in lines that speak of secrets, and not
behind a word that names what is no secret.
"""

from __future__ import annotations

from inventory.platforms.sheet import Section, Worded

_SPEAKS = (
    "passw",
    "passphrase",
    "passcode",
    "secret",
    "psk",
    "pre-share",
    "preshare",
    "communit",
    "credential",
    "authent",
    "encrypt",
    "crypto",
    "cipher",
    "token",
    "key",
    "snmp",
    "radius",
    "tacacs",
    "ldap",
    "user",
    "login",
)
_OTHER = (  # lines about what may be seen, or what is too long to be a line of its own
    r"(?![^\n]{0,200}(?i:public|pub-?key|finger-?print|thumb-?print|certif|\bcert\b|\bcrt\b|engine-?id|uuid|serial|licen[sc]e"
    r"|ssh-(?:rsa|dss|ed25519)|ecdsa|AAAA|known[-_]?host|checksum|md5sum|sha\d*sum|\bimage\b|firmware|description|remark"
    r"|\boid\b|subject|https?://|\bmac\b|\.cfg|\.bin))"
)
_NAMED = (  # words behind which a name stands
    "".join(
        rf"(?<!\b{word} )"
        for word in (
            "chain",
            "profile",
            "policy",
            "group",
            "map",
            "list",
            "name",
            "server",
            "vrf",
            "interface",
            "keyring",
        )
    )
    + "".join(rf"(?<!\b{word} )" for word in ("trustpoint", "user", "username", "context", "view", "host", "id"))
)
_HEX = r"(?:0x)?(?=[0-9A-Fa-f]{0,40}[0-9][0-9A-Fa-f])(?=[0-9A-Fa-f]{0,40}[A-Fa-f])[0-9A-Fa-f]{16,}"
# At least two numbers apart, and letters of both sizes.
_BASE64 = (
    r"(?=[^\s0-9]{0,60}[0-9][^\s0-9]{1,60}[0-9])(?=[^\sa-z]{0,60}[a-z])(?=[^\sA-Z]{0,60}[A-Z])"
    r"[A-Za-z0-9+/]{20,}={0,2}"
)

SHAPES: tuple[str | Worded, ...] = (
    # LDAP's and Vault's own spellings of a hash, OpenSSL's of an encrypted text
    r"(?P<keep>\{(?:S?SHA(?:256|512)?|S?MD5|CRYPT|PBKDF2[\w-]{0,12}|ARGON2)\})[^\s\"'<>;,)\]}]{6,}",
    r"(?P<keep>(?<![A-Za-z0-9+/]))U2FsdGVkX1[A-Za-z0-9+/]{8,}={0,2}",
    Worded(
        _SPEAKS,
        Section(
            begins=rf"^(?=[^\n]*?[A-Za-z0-9+/]{{16}})(?=[^\n]*?(?i:{'|'.join(_SPEAKS)})){_OTHER}[^\n]+",
            ends=r"$",
            secrets=(rf"(?P<keep>(?<=[\s\"'=:,]){_NAMED})(?:{_HEX}|{_BASE64})(?=[\"']?[;,]?(?:[ \t\r]|$))",),
        ),
    ),
)
