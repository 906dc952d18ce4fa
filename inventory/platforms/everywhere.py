r"""Secrets that every platform's text is searched for, whatever its sheet says.

Vendors have the same few dozen words for them, so they are written down once: a sheet only adds what nobody else says,
and one that forgets a line does not show it. A value is what follows a secret's name, after the words that say how it
is written (`7`, `encrypted`, `md5`). Which words name a secret may depend on the line: `key` does in a RADIUS server's,
and does not in a key chain's; so some patterns look at lines of one subject only.
"""

from __future__ import annotations

from inventory.platforms.idioms import WRITTEN
from inventory.platforms.sheet import Section, Worded

_IS = r"(?:[ \t]*[=:][ \t]*|[ \t]+)"  # between a name and its value
_METHOD = (
    r"(?:(?:md[57]|cmac\S{0,20}|(?:usm-?)?hmac\S{0,30}|sha\S{0,12}|des\S{0,12}|3des\S{0,12}|aes\S{0,30}|cfb\S{0,20})"
    r"(?:[ \t]+(?:128|192|256))?)"
)
# What stands behind a word that is somebody's password, and no word between a name and its value: priv password priv
_IS_VALUE = (
    r"(?![ \t]+(?i:r[ow]|priv|privacy|auth|auth-proto|authenticator|aes\S*|3?des\S*|localized\w*"
    r"|cryptographic-algorithm|obscured"
    r"|ike-policy|hash2?|read-(?:only|write)|group|emode|ipv4|mode-list|encrypted(?=[ \t\r]*$)"
    r"|(?:read-|write-|notify-)?view|username|\w{2,8}owner|(?:[gs]et|trap)-community)(?:[ \t\r]|$))"
)
# Words between a secret's name and its value; none is given back: such a word is never the value. An atomic group,
# because `{0,6}+` around what can go back itself matches too much in Python before 3.11.5, and shows half a secret.
_HOW = (
    rf"(?>(?:(?:{WRITTEN}|(?:auth|priv|authentication|privacy|encryption|shared|localized)?-?(?:pass(?:word|-?phrase|wd)?"
    rf"|secret|key|key-string){_IS_VALUE}"
    r"|plain-text-password-value|keystring|remote|local|name|value|key-id[ \t]+[0-9]{1,5}"
    r"|M|SHA1?|[0-9]{1,5}|[0-9]{6,10}(?=[ \t]+(?:md5|sha|hmac|cmac|aes)\S*[ \t])"
    r"|cak|key-string|encrypt-key|key-encrypt|(?:auth|acct)[ \t]+\"?[0-9.]{7,15}\"?)"
    r"(?![ \t]+(?i:ro|rw)(?:[ \t\r]|$))[ \t]{1,4}){0,6})"
)
# What stands behind a secret's name where no secret follows, or where its value does not follow yet.
_NONE = (
    r"(?!(?:enabled?|disabled?|none|yes|no|on|off|true|false|default|optional|required|chain|key-?chain"
    r"|keychain-name|id|key-id|input|generate|zeroize|rollover|file|size|length|lifetime|life|timeout|type|mode|prompt"
    r"|policy|profile|control|export|import|delete|is|expiration|encryption|level|index|status|rsa|dsa|ecdsa|trusted"
    r"|protection|install|address|hostname|ip|ipv[46]|identity|any|set-key|obscured|hash2?|hash-key|mac|enc\w*|auth\w*"
    r"|priv(?!ate(?:[\s;,=]|$))\w*|acct|options|prefer|iburst|burst|version|minpoll|maxpoll|source|vrf|group|cmode"
    r"|emode|slev|acl|start-time|(?:min|max)\w*[_-]length|read|write|notify|access|user|ckn|eigrp|preshared?|esp|ah)"
    r"(?:[;,]?(?:[ \t\r]|$)|=)"
    rf"|row[ \t]+\"ssh-"
    rf"|\\[ \t\r]*$|\*+[;,]?[ \t\r]*$|[{{=]|:[ \t]|\"\"|''|[\"']?-----BEGIN|\(masked\)|{_METHOD}(?:[ \t\r]|$)"
    r"|[\w-]{2,40}=[\"']|(?:public|private)[ \t]+(?:key\b|file\b|rsa\b|ssh-|\"?AAAA|id_)"
    r"|\S+[ \t]+(?:\{[ \t\r]*$|(?:secret|password|key|key-string|ascii-text|hexadecimal|cipher|simple|encrypted"
    r"|priv-password|id|security-name|community-name|sec-name|user-name)[ \t]+\S))"
)
_NO_NUMBER = r"(?![0-9]{1,5}[;,]?[ \t\r]*$)"  # a key's number, and nothing behind it
# A word, or words in quotation marks; a Junos-like line's semicolon stays.
_VALUE = r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|(?!["'])\S+?(?=;?(?:[ \t\r]|$)))"""
_TELLING = (
    r"(?=[^\s;]*[0-9A-Z:]|\"[^\"\s]{6}|'[^'\s]{6})"  # no word of a command line: a digit, a capital letter, or quoted
)

# Words that name what is open, or what is hidden, and are everybody's community; as a key at the end of a line only.
_COMMON = r"(?:public|private)(?=[;,]?(?:[ \t\r]|$))"
_LAST = r"(?:public|private)(?=;?[ \t\r]*$)"

_KEY_NAMES = (
    r"(?:[\w-]{0,30}[-_])?(?:pre-?shared?|preshare|share|shared|wpa|wpa-hex|wep|psk|md5|sha[0-9]{0,3}|auth|authentication"
    r"|authorization|accounting|priv|privacy|private|encr?pt|encryption|encrypt|encrypted|hello|macsec|api|sync"
    r"|connectivity-association|secret|chap|radius|tacacs|rad|hmac|hash|hex|ldap|digest|tsig|mobility|ams|es|override"
    r"|virtual-controller|server|set|cak|plaintext|passphrase|des|3des|aes[0-9]{0,3}|ppk)[-_]?key(?:-?seed)?"
    r"(?:[-_]?(?:hash|encrypt(?:ed)?|value|data|string))?[0-9]?"
    r"|(?:key-seed|key-(?:octet-)?string|key-hex|key-value|keyvalue|key-encrypt|encrypt-key|bindpw|bind-pw|ike-?psk|psk|cak"
    r"|text-authentication|md5-authentication|simple-text-auth|md5-auth|auth-string|authdata|ciphered-pwd"
    r"|pass(?:word|wd|phrase)[-_]hash(?:ed)?|key-hashed|pmk|ascii-key|hex-key|pswd|esecret|authtoken|cisco-authentication|enckey|authkey|cpwd|epwd|[\w-]{0,30}pass-?phrase(?:-encrypted)?|(?:encrypted|fallback|primary)-cak|authpwd|privpwd|pin-code|(?:user|so|admin)-pin|passkey|otp[-_]seed|[\w-]{0,20}password[-_]?l?[0-9]{1,2})"
)
# One of them is in each of these names, in small letters.
_IN_KEY_NAMES = (
    "key",
    "psk",
    "cak",
    "pmk",
    "auth",
    "pwd",
    "hash",
    "phrase",
    "bindpw",
    "bind-pw",
    "pin-code",
    "-pin",
    "otp",
    "password",
    "pswd",
    "esecret",
)
_COMMUNITY = r"[\w-]{0,30}(?i:community)(?:-?(?:name|string|map|password|group))?[0-9]?"

_NO_TEXT = r"(?![^\n]{0,40}\b(?i:snmp(?:-server|-agent)?[ \t]+(?:location|contact))\b)"
_ABOUT_SNMP = rf"^(?=[^\n]{{0,120}}(?i:snmp|\busm\b|createuser)){_NO_TEXT}[^\n]+"
_ABOUT_KEYS = (
    r"^(?=[^\n]{0,200}(?:[Kk][Ee][Yy]|auth|md5))(?=[^\n]{0,120}(?i:radius|tacacs|tacplus|ldap|\baaa\b|\bike|isakmp|ipsec|s?ntp|ospf|is-?is\b|\bbgp|\brip|vrrp"
    r"|authen|\bauth|neighbor|\bpeer|macsec|\bmka\b|wpa|wlan|\bnas\b|cluster|failover|portal|\bmd5|snmp|\bserver\b))"
    r"(?![^\n]{0,200}(?i:public-?key|pubkey|authorized-key|host-?key|crypto key ))[^\n]+"
)

_SNMP = Section(
    begins=_ABOUT_SNMP,
    ends=r"$",
    secrets=(
        rf"(?P<keep>\b(?i:(?:auth|priv|enc)(?:entication|acy|ryption|rypt)?-?(?:[-_]?(?:prot(?:ocol)?|mode|type"
        rf"|encrypted))?[ \t]+{_METHOD})[ \t]+-?(?i:{_HOW}))(?!-){_NONE}{_VALUE}",
        # behind version 3 stands a user's name
        rf"(?P<keep>(?<!version 3 )(?<!version v3 )(?<! v3 )\b(?i:priv|privacy)[ \t]+{_HOW}){_NONE}{_TELLING}{_VALUE}",
        rf"(?P<keep>\b(?i:priv|privacy)[ \t]+(?:hex|encrypted|plain|cipher|simple)[ \t]+){_NONE}{_VALUE}",
        rf"(?P<keep>\b(?i:md5|sha[0-9]{{0,3}}|des|aes(?:-?[0-9]{{3}})?|des-cbc|3des|aes128-cfb)[ \t]+{_HOW})"
        rf"(?![0-9]{{3}}[ \t]){_NONE}{_TELLING}{_VALUE}",
        r"(?P<keep>\b(?i:md5|sha[0-9]{0,3})[ \t]+)[0-9]{6,}(?=[ \t]+(?i:aes|3?des)[\w-]*[ \t])",
        rf"(?P<keep>\b(?i:(?:auth|encrypt|enc|priv)-(?:md5|sha|aes|3?des)[0-9-]{{0,8}})[ \t]+{_HOW})"
        rf"(?!\S+-\S+[ \t]){_NONE}{_VALUE}",
        rf"(?P<keep>\b(?i:createuser)[ \t]+(?:-e[ \t]+\S+[ \t]+)?\S+[ \t]+\S+[ \t]+{_HOW}){_NONE}{_VALUE}",
        rf"(?P<keep>\b(?i:createuser)[ \t]+[^\n]{{1,200}}[ \t](?i:aes|des)\S*[ \t]+{_HOW}){_NONE}{_VALUE}",
        rf"(?P<keep>\b{_COMMUNITY}[ \t]+(?>(?:(?:(?i:read-?only|read-?write(?:-all)?|read|write|ro|rw|create|add|delete"
        r"|mode(?:[ \t]+(?:enable|disable))?"
        rf"|index[ \t]+\S+[ \t]+name|accessmode[ \t]+\w+|ip(?:addr|mask)[ \t]+\S+(?:[ \t]+[0-9.]+)?|v1v2c?|map|get|set"
        rf"|community-name|[\w-]{{1,20}}-community-string(?:-[0-9])?))[ \t]+)*){_HOW})"
        rf"(?!(?:list|security[\w-]*|source|community[\w-]*)(?:[ \t\r]|$)|[\w-]{{2,30}}=\S|\[[ \t])"
        rf"(?:{_COMMON}|{_NONE}{_VALUE})",
        r"(?P<keep>\b(?:host|trap-?host|trapreceiver|receiver|trap2?sink|target-host|trap-destination)[ \t]+"
        r"(?![^\n]{0,100}\b(?:version[ \t]+v?|v)3[ \t])"
        r"[\w.:-]{1,60}[ \t]+(?>(?:(?:(?:vrf|use-vrf|version|port|udp-port)[ \t]+\S+|traps?|informs?|v1|v2c?|noauth"
        r"|auth|priv|poll|community|name|encrypted|plain|cipher|simple|[0-9]{1,5})[ \t]+){1,8}))"
        r"(?!(?:vrf|use-vrf|version|port|udp-port|traps?|informs?|v[123]c?|username|params|securityname"
        r"|security-name|community-name|sec-name|source-interface|trap-level|smode|filter|community|severity-level)"
        rf"(?:[ \t\r]|$)|(?:[0-9]{{1,5}}|[0-9]{{1,3}}\.[0-9.]{{3,11}})(?:[ \t\r]|$))(?:{_COMMON}|{_NONE}{_VALUE})",
    ),
)
_KEYS = Section(
    begins=_ABOUT_KEYS,
    ends=r"$",
    secrets=(
        rf"(?P<keep>(?<![\w-])(?i:key)[ \t]+(?>(?:(?:{_METHOD}|id)[ \t]+)*)(?i:{_HOW}))"
        rf"(?!authentication|accounting|authorization)(?:{_LAST}|{_NONE}{_NO_NUMBER}{_VALUE})",
        rf"(?P<keep>\b(?:authentication|authtype|auth-type|authentication-type|authentication-mode|auth)[ \t]+"
        rf"(?:simple|simple-text|simple-password|text|plain|encrypt|clear|string|md5[ \t]+[0-9]{{1,3}}"
        rf"|(?:md5|hmac\S*)[ \t]+key-string|mode[ \t]+hmac\S*|encrypted)[ \t]+(?:simple-password[ \t]+|authdata[ \t]+)?"
        rf"{_HOW})(?:{_LAST}|{_NONE}{_NO_NUMBER}{_VALUE})",
        rf"(?P<keep>\b(?:md5[ \t]+|(?:message-)?digest-key[ \t]+)[0-9]{{1,3}}[ \t]+(?:md5[ \t]+)?{_HOW})"
        rf"(?:{_LAST}|{_NONE}{_NO_NUMBER}{_VALUE})",
        rf"(?P<keep>^[ \t]*(?:ip )?vrrp [^\n]{{0,40}}?\bauthentication[ \t]+{_HOW}){_NONE}{_NO_NUMBER}{_VALUE}",
    ),
)

# A user's line: what follows a method is a passphrase, also when it is a small word.
_SNMP_USER = Section(
    begins=r"^(?=[^\n]{0,120}(?i:snmp))(?=[^\n]{0,120}\b(?i:users?|usm)\b)[^\n]+",
    ends=r"$",
    secrets=(
        rf"(?P<keep>\b(?i:md5|sha[0-9]{{0,3}}|des(?:56)?|3des|aes(?:-?[0-9]{{3}})?(?:-cfb)?)[ \t]+{_HOW})"
        r"(?!(?:(?:read|write|notify)-view|local\w*|engine\w*|remote|context\S*|security\S*|view|v[123]c?|cipher|simple"
        rf"|usual|cpwd|epwd|emode|from|ipv[46]|mib\S*|storage\S*|host|used-by|port)(?:[ \t\r]|$)){_NONE}{_VALUE}",
        rf"(?P<keep>\b(?i:privacy[ \t]+(?=\S{{5}})|priv[ \t]+(?=\S{{8}}))){_NONE}[^\s;]+(?=[ \t\r]*$)",
        # auth sha256 7 VALUE VALUE: the second is privacy's
        rf"(?P<keep>\bauth[^\n]{{1,80}}\(masked\)[ \t]+)(?!localized|priv|access|acl|remote|engine|encrypted){_TELLING}"
        r"(?:(?=[^\s;]*[A-Za-z])[^\s;]{8,}|\"[^\"\n]{6,}\")(?=[ \t\r]*$)",
        r"(?P<keep>\bauth[ \t]+\S+[ \t]+[0-9]{1,2}[ \t]+\(masked\)[ \t]+)(?!localized|priv|access|acl|remote|engine"
        r"|encrypted)[^\s;]{4,}(?=[ \t\r]*$)",
    ),
)

# The name alone at the end of a line that the device has broken, the value on the next
BROKEN = (
    r"(?P<keep>\b(?:client-key|auth-password|priv-password|encrypted-key|auth-key|shared-secret|bindpw)[ \t]*\r?"
    r"\n[ \t]*)\S{6,}(?=[ \t]+(?:encrypted|priv)\b|[ \t]*$)(?<![;{}!#])"
)

# Within lines of one subject.
BY_LINE = (
    Worded(("snmp", "usm", "createuser"), _SNMP),
    Worded(("user", "usm"), _SNMP_USER),
    Worded(("key", "auth", "md5"), _KEYS),
)

ANYWHERE: tuple[Worded, ...] = (
    Worded(
        _IN_KEY_NAMES,
        rf"(?P<keep>(?<![\w-])(?i:{_KEY_NAMES}){_IS}(?>(?:(?:type[ \t]+\S+|inbound|outbound|{_METHOD})[ \t]+)*)"
        rf"(?i:{_HOW}))(?!(?:for|wpa|cipher|authenticator)[ \t])(?:{_LAST}|{_NONE}{_NO_NUMBER}{_VALUE})",
    ),
    # authentication wpa-psk value, iapp key value, encryption key 1 value
    Worded(
        ("wpa-psk", "iapp key", "encryption key"),
        rf"(?P<keep>(?:(?:^[ \t]*|\bauthentication[ \t]+)wpa-psk|\b(?:iapp|encryption)[ \t]+key)[ \t]+{_HOW})"
        rf"(?!tkip|ccmp|size|exchange){_NONE}{_NO_NUMBER}{_VALUE}",
    ),
    # snmpd.conf's own
    Worded(
        ("community", "com2sec", "sink", "smuxpeer"),
        r"(?P<keep>^[ \t]*(?:r[ow]community6?|trapcommunity|com2sec6?[ \t]+\S+[ \t]+\S+"
        r"|trap2?sink[ \t]+\S+|smuxpeer[ \t]+\S+)[ \t]+)"
        rf"{_VALUE}",
    ),
    # rmon's events go out with a community
    Worded(
        ("rmon",), rf"(?P<keep>\brmon event[ \t]+[0-9]+[ \t][^\n]{{0,80}}?\btrap[ \t]+)(?!owner|description){_VALUE}"
    ),
    Worded(("(masked) -",), rf"(?P<keep>\bcommunity[^\n]{{0,60}}\(masked\)[ \t]+-n[ \t]+){_VALUE}"),
    # CommunityName1=value, trap-community=value, -communityName value
    Worded(
        ("community",),
        rf"(?P<keep>(?:^|[\s,.-]){_COMMUNITY}(?:[ \t]?[=:]|(?<=Name)[ \t])[ \t]?)(?![{{\[\s]|\"\"){_VALUE}",
    ),
    # JSON: "name": "value"
    Worded(
        ('":', " :"),
        r"(?P<keep>\"[\w-]{0,40}(?i:password\w{0,10}|passwd|passkey|passphrase|secret\w{0,10}|community|passcode|_cak|-cak"
        r"|auth[_-]?key|psk|private[_-]?key|shared[_-]?key|api[_-]?key|token)\"[ \t]?:[ \t]?\")[^\"\n]+(?=\")",
    ),
    # IPsec by hand, as IOS and its followers have it
    Worded(
        ("session-key",),
        rf"(?P<keep>\bsession-key[ \t]+(?:in|out)bound[ \t]+(?:ah"
        rf"|esp)[ \t]+[0-9]+[ \t]+(?:c[iy]pher[ \t]+|authenticator[ \t]+)?"
        rf"{_HOW}){_VALUE}",
    ),
    Worded(("session-key",), rf"(?P<keep>\bsession-key[^\n]{{1,120}}[ \t]authenticator[ \t]+{_HOW}){_VALUE}"),
    # Cisco's master key
    Worded(("config-key",), rf"(?P<keep>\bkey config-key password-encrypt(?:ion)?[ \t]+){_VALUE}"),
    # https://host/path?token=value
    Worded(("?", "&"), r"(?P<keep>[?&](?i:[\w-]{0,20}(?:token|key|passw(?:or)?d|secret|sig))=)[^\s&\"'<>]{3,}"),
    # <community>value</community>
    Worded(("community",), rf"(?P<keep><{_COMMUNITY}>)[^<\n]+(?=</)"),
)
