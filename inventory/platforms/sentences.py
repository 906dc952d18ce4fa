r"""Secrets inside what people have written: descriptions, comments, banners.

A sentence has no keyword that a vendor has chosen. What is looked for is a word for a secret, or for an account, and
behind it something that is no word of a sentence.
"""

from __future__ import annotations

from inventory.platforms.shapes import MADE, QUOTE
from inventory.platforms.sheet import Section, Worded

# What follows a word for a secret and is none.
_PLAIN = (
    r"(?!(?i:not|no|none|set|empty|required|needed|mandatory|optional|the|this|that|a|an|in|on|at|as|by|to|from|for|with|via"
    r"|same|stored|kept|sent|known|unknown|encrypted|hidden|masked|configured|disabled|enabled|allowed|used|changed|reset|case"
    r"|expired|weak|strong|too|yes|true|false|wrong|invalid|correct|incorrect|ok|auth\w*|policy|server|through|and|or)(?![\w-])"
    r"|\(masked|[$<{%])"
)
_ACCOUNT = r"[A-Za-z][\w.@-]{0,30}[ \t]?/[ \t]?"
_NO_VERB = "".join(rf"(?<!\b{word} )" for word in ("to", "may", "can", "not", "must", "will", "should"))
# What a packet does, not what somebody types
_THROUGH = r"(?!(?i:through|thru|traffic|packets?|frames?|vlans?|tagged|untagged"
_THROUGH += r"|data|all|any|only|over|along|pool|route)(?![\w-]))"
_WORD = rf"{_PLAIN}[^\s\"',;]{{4,}}"

# A line of a configuration that holds a sentence, or a comment.
_SAID = (
    r"^(?:[^\n]{0,200}?(?<![\w-]))??(?:description|remark|banner|comments?|alias|port-name|display-string|location|contact|note"
    r"|message|motd|login-message|!|#|/\*)(?:[ \t]+|[=:][ \t]*)[^\n]+"
)

_IN_SENTENCES: tuple[str, ...] = ("pw", "pass", "pwd", "cred", "key:", "secret-", "login", "account", "user", "pin")
_IN_SENTENCES += ("code", "psk", "wifi", "wi-fi", "wlan", "ssid", "guest")

SENTENCES: tuple[Worded, ...] = (
    # the password is value, community string: value
    Worded(
        ("password", "community", "secret", "passphrase", "passcode"),
        rf"(?P<keep>\b(?i:password|community|secret|passphrase"
        rf"|passcode)(?i:[ \t]+string)?(?:[ \t]+is[ \t]+|[ \t]?:[ \t]+){QUOTE}){MADE}",
    ),
    Worded(
        ("passw", "passphrase", "passcode", "pw", "psk", "secret", "communit", "key"),
        rf"(?P<keep>\b(?i:password|passwd|passphrase|passcode|pwd?|psk|secret"
        rf"|community(?:[ \t]+string)?|(?:wifi|wlan|preshared)[ \t]+key)"
        rf"[ \t]+(?:is|was)[ \t]+(?:now[ \t]+|set[ \t]+to[ \t]+)?{QUOTE}){_WORD}",
    ),
    Worded(
        ("community",),
        rf"(?P<keep>\b(?i:community)(?i:[ \t]+string)?(?:[ \t]+is[ \t]+|[ \t]?:[ \t]+){QUOTE})"
        r"(?!(?i:not|none|empty|set|configured|no|disabled|enabled|the|a)(?![\w-])|\(masked|[0-9]+:)[^\s\"',;.]{3,}"
        r"(?=[\"']?[ \t\r]*$)",
    ),
    # pw value, pass: value, creds name/value, login name/value, PIN 4711
    Worded(
        _IN_SENTENCES,
        Section(
            begins=_SAID,
            ends=r"$",
            secrets=(
                rf"(?P<keep>(?<![\w-])(?i:pw|pass|pwd|key)(?:[:=][ \t]?|[ \t]+)(?<![Kk]ey )(?<!KEY ){QUOTE}){MADE}",
                rf"(?P<keep>(?<![\w-])(?i:pw|pwd|passw?d?)[:=][ \t]?{QUOTE}){_WORD}",
                rf"(?P<keep>(?<![\w-])(?i:creds?|credentials?)[:=]?[ \t]+{QUOTE}){MADE}",
                rf"(?P<keep>(?<![\w-])(?i:creds?|credentials?)[:=]?[ \t]+{_ACCOUNT}{QUOTE}){_WORD}",
                rf"(?P<keep>(?<![\w-])(?i:log-?in|user|account)[:=]?[ \t]+{_ACCOUNT}{QUOTE}){MADE}",
                rf"(?P<keep>(?<![\w-])(?i:log-?in)[:=]?[ \t]+[A-Za-z][\w.@-]{{0,30}}/{QUOTE})"
                rf"(?!(?i:radius|tacacs|ldap|local))"
                rf"{_WORD}(?=[\"']?[;,]?[ \t\r]*$)",
                # a small word, where an account or a network is spoken of: wifi pass value, login name pw value
                rf"(?P<keep>(?<![\w-])(?i:log-?in|user(?:name)?|account|admin|root|wi-?fi|wlan|ssid|guest|pppoe|vpn)\b"
                rf"[^\n]{{0,80}}?(?<![\w-]){_NO_VERB}(?i:pw|pass|psk|pwd)(?:[:=][ \t]?|[ \t]+)"
                rf"{QUOTE}){_THROUGH}{_WORD}(?=[\"']?[;,]?[ \t\r]*$)",
                rf"(?P<keep>(?<![\w-])(?i:wi-?fi|wlan|ssid|guest)[ \t-](?i:key)"
                rf"(?:[:=][ \t]?|[ \t]+){QUOTE}){_WORD}(?=[\"']?[;,]?[ \t\r]*$)",
                # key: value, and nothing behind it
                rf"(?P<keep>(?<![\w-])(?i:key|pass):[ \t]{QUOTE}){_WORD}(?=[\"']?[;,]?[ \t\r]*$)",
                rf"(?P<keep>(?<![\w-])secret-){MADE}",
                r"(?P<keep>(?<![\w-])(?i:pin|(?:door|gate|alarm|lock|access)[ \t-]?code)(?:[:=][ \t]?|[ \t]+)"
                r"(?:is[ \t]+)?)"
                r"[0-9]{4,10}(?![\w.:/-])",
            ),
        ),
    ),
)
