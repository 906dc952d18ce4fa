r"""Secrets in the files of daemons: a device that is a Linux host, or a sheet of your own that fetches them, has some.

Most of what such files say is said elsewhere, too (`password = value`). Here is what only one program says.
"""

from __future__ import annotations

from inventory.platforms.sheet import Worded

_VALUE = r"(?!\(masked)(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s\"';]+)"
_END = r"(?=;?[ \t\r]*$)"

DAEMONS: tuple[Worded, ...] = (
    # tac_plus
    Worded(
        ("cleartext", " des ", " crypt "),
        rf"(?P<keep>^[ \t]*(?:login|enable|pap|opap|chap|ms-chap|arap|global)[ \t]*=[ \t]*"
        rf"(?:cleartext|des|crypt)[ \t]+){_VALUE}",
    ),
    Worded(
        ("key",),
        rf"(?P<keep>^[ \t]*key[ \t]*=[ \t]*)(?![0-9]{{1,5}}[ \t\r]*$|[/$%<{{\[]|(?:true|false|yes|no|none|null)\b)"
        rf"{_VALUE}{_END}",
    ),
    # keepalived
    Worded(("auth_pass",), rf"(?P<keep>^[ \t]*auth_pass[ \t]+){_VALUE}"),
    # snmptrapd.conf and snmp.conf
    Worded(
        ("authcommunity", "defcommunity"),
        rf"(?P<keep>^[ \t]*(?:authCommunity[ \t]+[\w,]+|defCommunity)[ \t]+){_VALUE}",
    ),
    # ntp.keys, and chrony's: number, method, key
    Worded(
        (" md5 ", " sha", " aes", " m "),
        r"(?P<keep>^[ \t]*[0-9]{1,10}[ \t]+(?:M|MD5|SHA[0-9-]*|AES[0-9]+|AES[0-9]*CMAC)[ \t]+(?:ASCII:|HEX:)?)"
        rf"{_VALUE}{_END}",
    ),
    # Postfix' map of passwords
    Worded(("]:",), rf"(?P<keep>^[ \t]*\[[\w.-]{{1,100}}\]:[0-9a-z]{{1,20}}[ \t]+[^\s:]{{1,100}}:){_VALUE}{_END}"),
    # Squid's cache_peer
    Worded(("login=",), rf"(?P<keep>\blogin=[^\s:=]{{1,60}}:){_VALUE}"),
    Worded(
        ("socks4", "socks5"),
        rf"(?P<keep>^[ \t]*socks[45][ \t]+[\w.:-]{{1,100}}[ \t]+[0-9]{{1,5}}[ \t]+\S{{1,60}}[ \t]+){_VALUE}{_END}",
    ),
    # NUT
    Worded(
        ("monitor",),
        rf"(?P<keep>^[ \t]*MONITOR[ \t]+\S{{1,60}}@\S{{1,100}}[ \t]+[0-9]{{1,3}}[ \t]+\S{{1,60}}[ \t]+){_VALUE}",
    ),
    # Redis
    Worded(("requirepass", "masterauth"), rf"(?P<keep>^[ \t]*(?:requirepass|masterauth)[ \t]+){_VALUE}{_END}"),
    # .pgpass and chap-secrets
    Worded(
        (":543", ":*:"),
        r"(?P<keep>^[ \t]*[\w.*-]{1,100}:(?:543[0-9]|\*):[\w.*-]{1,60}:[\w.*-]{1,60}:)"
        r"(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s:]{3,})(?=[ \t\r]*$)",
    ),
    Worded(
        (" * ",),
        r"(?P<keep>^[ \t]*[\"']?[A-Za-z][\w.@\\/-]{0,60}[\"']?[ \t]+\*[ \t]+)"
        r"(?![0-9]+[.:][0-9.:/]+(?:[ \t\r]|$))(?:\"[^\"\n]+\"|[^\s\"*=]{3,})"
        r"(?=(?:[ \t]+[\"']?[0-9A-Fa-f.:*/]+[\"']?)?[ \t\r]*$)",
    ),
    # the key of a radio, as OpenWrt writes it, in both of its forms
    Worded(
        ("option",),
        r"(?P<keep>^[ \t]*option[ \t]+(?:key[0-9]?|password|passwd|secret|sae_password|(?:auth|acct)_secret"
        rf"|(?:private|preshared)_key)[ \t]+){_VALUE}",
    ),
    Worded(
        ("wireless.",),
        r"(?P<keep>\bwireless\.[^\s=]{1,60}\.(?:key[0-9]?|sae_password|(?:auth|acct)_secret|password)="
        rf"){_VALUE}",
    ),
    # a kickstart's, HAProxy's
    Worded(("rootpw",), rf"(?P<keep>^[ \t]*rootpw[ \t]+(?:--\S+[ \t]+)*){_VALUE}{_END}"),
    Worded(("stats",), rf"(?P<keep>\bstats auth [^\s:]{{1,60}}:){_VALUE}"),
)
