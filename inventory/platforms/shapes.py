r"""Secrets by what they look like: the last net, for keywords that nobody has heard of.

What a machine has made, a hash, a key or an encrypted password, does not look like a word. Serial numbers,
certificates and names of circuits do not either, so it is only looked for in lines that speak of secrets, and not
behind a word that names what is no secret.
"""

from __future__ import annotations

from inventory.platforms.idioms import WRITTEN, XML_SECRETS
from inventory.platforms.sheet import Section, Worded

_SPEAKS: tuple[str, ...] = (
    "passw",
    "passphrase",
    "passcode",
    "secret",
    "psk",
    "pre-share",
    "preshare",
    "communit",
    "key",
)
_SPEAKS += ("credential", "authent", "encrypt", "crypto", "cipher", "token")
_SPEAKS += ("snmp", "radius", "tacacs", "ldap", "user", "login")
_OTHER = (  # lines about what may be seen, or what is too long to be a line of its own
    r"(?![^\n]{0,200}(?i:public|pub-?key|finger-?print|thumb-?print|certif|\bcert\b|\bcrt\b|engine-?id|uuid|serial|licen[sc]e"
    r"|ssh-(?:rsa|dss|ed25519)|ecdsa|AAAA|known[-_]?host|checksum|md5sum|sha\d*sum|\bimage\b|firmware|description|remark"
    r"|\boid\b|subject|https?://|\bmac\b|\.cfg|\.bin))"
)
_NAMES: tuple[str, ...] = ("chain", "profile", "policy", "group", "map", "list", "name", "server", "vrf", "interface")
_NAMES += ("keyring", "trustpoint", "user", "username", "context", "view", "host", "id")
_NAMED = "".join(rf"(?<!\b{word} )" for word in _NAMES)  # words behind which a name stands
_HEX = r"(?:0x)?(?=[0-9A-Fa-f]{0,40}[0-9][0-9A-Fa-f])(?=[0-9A-Fa-f]{0,40}[A-Fa-f])[0-9A-Fa-f]{16,}"
# At least two numbers apart, and letters of both sizes.
_BASE64 = (
    r"(?=[^\s0-9]{0,60}[0-9][^\s0-9]{1,60}[0-9])(?=[^\sa-z]{0,60}[a-z])(?=[^\sA-Z]{0,60}[A-Z])"
    r"[A-Za-z0-9+/]{20,}={0,2}"
)


# Keys that everybody may see
_OPEN = (
    r"(?![^\n]{0,200}(?i:public|pub-?key|(?:host|sort|authorized|known|finger|routing)[-_]?(?:key|host|print)"
    r"|ssh-|AAAA))"
)
# What is no secret although it has letters and digits: addresses, interfaces, methods, files, hosts.
_ALGORITHM = (
    r"(?:hmac|sha[0-9]*|md5|aes[0-9]*|3?des[0-9]*|rsa[0-9]*|ecdsa|dsa|ed25519|gcm[0-9]*|cbc[0-9]*|cfb[0-9]*|ctr|cmac|tls\S*|ssl\S*"
    r"|ssh[0-9]*|ike(?:v[12])?|esp|modp[0-9]*|ecp[0-9]*|group[0-9]+|dh[0-9]+|nistp[0-9]+|v[0-9]c?|ver[0-9]+|pbkdf2"
    r"|bcrypt|scrypt|wpa[0-9]?|[0-9]+bit)"
)
_ORDINARY = (
    r"(?!\(masked|(?:[0-9A-Fa-f]{0,4}:){2}|[0-9./:-]+(?:[a-z]{0,4})(?:[\s\"';,]|$)|\$[{(A-Z_]|%[A-Za-z_]+%|\{\{"
    rf"|(?i:(?:[a-z0-9]+[-_])*{_ALGORITHM}(?:[-_][a-z0-9]+)*)(?:[\s\"';,]|$)"
    r"|(?i:[a-z-]*(?:eth|ethernet|gige?|[gx]e|te|fa|et|[vw]?lan|wan|port|channel|po|lo(?:opback)?|bond|tu(?:nnel)?|lag|trunk|ae"
    r"|irb|vni|swp|slot|ap|serial|dialer|pppoe|wg|vti|br(?:idge)?|en[ospx]\w*|level|priv(?:ilege)?|chap|ipv|dot1x))"
    r"[-_]?[0-9][0-9/.:]*(?:[\s\"';,]|$)"
    r"|[^\s\"']+\.(?:key|pem|crt|cer|pfx|p12|cfg|txt|bin|xml|json|img|conf|com|net|org|local|lan|edu|gov)(?:[\s\"';,/:]|$))"
)
MADE = rf"{_ORDINARY}(?=[^\s\"']{{0,200}}[0-9])(?=[^\s\"']{{0,200}}[A-Za-z])[^\s\"']{{6,}}?(?=[\"']?[;,]?(?:[ \t\r]|$))"
QUOTE = r"[\"']?"
_HOW = rf"(?:(?:{WRITTEN}|key|level[ \t]+[0-9]{{1,2}})[ \t]+){{0,3}}"

SHAPES: tuple[Worded, ...] = (
    *(Worded(("</",), pattern) for pattern in XML_SECRETS),
    # LDAP's and Vault's own spellings of a hash, OpenSSL's of an encrypted text
    Worded(
        ("{s", "{md5", "{crypt", "{pbkdf2", "{argon2"),
        r"(?P<keep>\{(?:S?SHA(?:256|512)?|S?MD5|CRYPT|PBKDF2[\w-]{0,12}|ARGON2)\})[^\s\"'<>;,)\]}]{6,}",
    ),
    Worded(("u2fsdgvkx1",), r"(?P<keep>(?<![A-Za-z0-9+/]))U2FsdGVkX1[A-Za-z0-9+/]{8,}={0,2}"),
    # Junos says it itself
    Worded(("secret-data",), r"(?P<keep>\")[^\"\n]+(?=\";[ \t]*## SECRET-DATA)"),
    # any-key value, passcode value
    Worded(
        (
            "key",
            "psk",
            "pre-share",
            "preshare",
            "passcode",
            "passcrypt",
            "phrase",
            "string",
            "pin",
            "puk",
            "pwd",
            "pswd",
        ),
        Section(
            begins=rf"^{_OPEN}[^\n]+",
            ends=r"$",
            secrets=(
                r"(?P<keep>(?<![\w-])(?i:[\w.-]{1,40}[-_]key|[\w-]{0,40}psk|pre-?shared?|passcode|passcrypt|\w{0,30}phrase[0-9]?"
                rf"|auth-?string|e?(?:pin|puk)|[\w-]{{0,30}}(?:pwd|pswd|wep_?key)(?:[-_][a-z0-9]{{1,2}})?)"
                rf"(?:[ \t]*=[ \t]*|:[ \t]*|[ \t]+){_HOW}{QUOTE}){MADE}",
            ),
        ),
    ),
    # a line of its own: key value, key "value"
    Worded(
        ("key",),
        rf"(?P<keep>^[ \t]*(?:[Ss]et[ \t]+)?key(?:-string)?[ \t]+{_HOW}{QUOTE})(?![^\n]{{0,60}}(?:ssh-"
        rf"|AAAA|\(masked\))){MADE}(?=[^\n]{{0,30}}$)",
    ),
    # key 7 value, key value, "key":"value", in the middle of a line, too
    Worded(
        ("key",),
        r"(?P<keep>(?<![\w.-])e?key[ \t]+(?:0|5|6|7|8a?|9|1[0-9])[ \t]+)(?!\(masked|prefer|iburst"
        r"|burst|version|source|minpoll"
        r"|maxpoll|vrf|use-vrf|trust)[^\s\"']{4,}",
    ),
    Worded(
        ("key",),
        Section(
            begins=rf"^{_OPEN}(?![^\n]{{0,200}}(?:\bgenerate|\blabel|\bimport|\bexport|chain|\(masked\)))[^\n]+",
            ends=r"$",
            secrets=(
                rf"(?P<keep>(?<![\w.-])(?:e?key|[Pp]re-?[Ss]hared [Kk]ey"
                rf"|shared-key-cipher)(?:[\"']?[ \t]?[=:][ \t]?|[ \t]+){_HOW}{QUOTE})"
                rf"{MADE}",
            ),
        ),
    ),
    Worded(("key",), r"(?P<keep>\b(?:private|shared-secret \(masked\))[ \t]+key[ \t]+[\"']?)(?!\(masked)[^\s\"']{6,}"),
    Worded(
        ("-key",),
        rf"(?P<keep>-key[ \t]+[0-9]{{1,5}}[ \t]+[^\n]{{0,40}}\bvalue[ \t]+{QUOTE})(?!\(masked)[^\s\"']+",
    ),
    # any-password-hash value, auth-pass-phrase-hashed value
    Worded(
        ("password", "phrase", "secret"),
        r"(?P<keep>(?<![\w-])[\w-]{0,40}(?:passwords?|pass-?phrase|secret)(?:-(?:hash(?:ed)?|encrypted"
        r"|encoded|cipher|value))?[ \t]+"
        rf"{_HOW}{QUOTE}){MADE}",
    ),
    # radius ... 192.0.2.1 1812 value
    Worded(
        ("radius", "tacacs"),
        r"(?P<keep>\b(?:radius|tacacs)[^\n]{1,60}[ \t][0-9.]{7,15}[ \t]+(?:49|181[23]|164[56])[ \t]+:?)"
        r"(?!(?:key|secret|shared-secret|acct|auth|password|encrypt|ascii|hex|timeout|retransmit|realm|client|vr|vrf|source|priority|weight)"
        r"(?![^\s-])|(?:acct|auth|client|source|server|test|standby)-|\(masked)[^\s:]{4,}",
    ),
    Worded(
        ("radius-server", "tacacs-server"),
        rf"(?P<keep>^[ \t]*(?:radius|tacacs)-server[ \t]+(?:host[ \t]+)?[0-9.]{{7,15}}[ \t]+{QUOTE})"
        rf"{MADE}(?=[\"']?[ \t\r]*$)",
    ),
    # a command's options: aaaconfig ... -s value, passwd name -old value -new value
    Worded(
        (" -",),
        Section(
            begins=r"^(?=[^\n]{0,120}(?i:radius|tacacs|ldap|aaa|auth|passw|secret|psk"
            r"|snmp))(?=[^\n]*[ \t]-[a-z])[^\n]+",
            ends=r"$",
            secrets=(
                r"(?P<keep>[ \t]-(?i:s|secret|old|new|local|remote|k|key|p|pw|pass|passwd|password)"
                rf"[ \t]+{QUOTE})(?!-){MADE}",
            ),
        ),
    ),
    # snmp-access ... encryption user "value"
    Worded(
        ("snmp",),
        r"(?P<keep>^[ \t]*snmp[^\n]{0,80}(?:encryption|privacy|authentication|auth|priv)[ \t]+[^\s\"]+[ \t]+\")"
        rf"{MADE}(?=\"[ \t\r]*$)",
    ),
    # add community value address
    Worded(
        ("community",),
        rf"(?P<keep>\bcommunity[ \t]+{QUOTE}){MADE}(?=[\"']?[ \t]+[0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{3}})",
    ),
    # set ppp line 1 pass value
    Worded(
        (" pass ",),
        r"(?P<keep>^(?=[^\n]{0,60}(?i:ppp|user|login|dial|account))[^\n]{0,80}?[ \t]pass[ \t]+"
        rf"{QUOTE}){MADE}",
    ),
    # a block's own lines: authentication value, community value, host address traps value
    Worded(
        ("authentication",),
        rf"(?P<keep>^[ \t]+authentication[ \t]+{_HOW}{QUOTE}){MADE}"
        r"(?=[\"']?[ \t]*(?:level-[12])?[ \t\r]*$)",
    ),
    Worded(
        ("authentication", "privacy"),
        rf"(?P<keep>^[ \t]*[^\n]{{0,120}}\b(?:authentication|privacy)[ \t]+(?:hash[ \t]+)?(?:md5|sha\S*"
        rf"|des\S*|aes\S*|cfb\S*)[ \t]+{QUOTE})"
        rf"{MADE}",
    ),
    Worded(
        ("community",),
        rf"(?P<keep>^[ \t]*community[ \t]+{QUOTE}){MADE}(?=[\"']?[ \t]*(?:access|r[ow]?|read\S*"
        rf"|subnet|acl)?[ \t]*[\r\d]*$)",
    ),
    Worded(
        ("host ",),
        r"(?P<keep>^[ \t]+host[ \t]+[0-9A-Fa-f.:]{3,40}[ \t]+(?:traps?|informs?)[ \t]+"
        r"(?:version[ \t]+(?:1|2c)[ \t]+|v2c?[ \t]+)?)"
        rf"(?!version\b|v3\b|\(masked){MADE}",
    ),
    # what is said to be encrypted
    Worded(
        ("enc ", "encrypt", "cipher"),
        r"(?P<keep>(?<![\w-])(?:ENC|encrypted|encrypt|ciphered|cipher|irreversible-cipher|cipher-text"
        r"|ciphertext)[ \t]+(?:[0-9]{1,2}[ \t]+)?"
        rf"{QUOTE})(?![^\s]*(?:-SHA|-GCM|_SHA)){MADE}",
    ),
    # ascii value, plain value, where a key is meant
    Worded(
        ("ascii", "hex", "plain", "clear"),
        r"(?P<keep>^(?=[^\n]{0,200}(?i:auth|key|psk|wpa|radius|tacacs|secret|passw|acct|pin))[^\n]{0,200}?[ \t]"
        rf"(?:ascii|ascii-text|hex|hexadecimal|plain|plain-?text|clear"
        rf"|clear-?text)[ \t]+(?:[0-9]{{1,2}}[ \t]+)?{QUOTE}){MADE}",
    ),
    # user name value
    Worded(
        ("user", "account", "cred", "login", "myname"),
        r"(?P<keep>(?<![\w-])(?:(?:mgmt|net|local)-?user|user(?:name)?|account"
        r"|[\w-]{0,20}cred(?:ential)?s?|myname)[ \t]+"
        r"(?:add[ \t]+|create[ \t]+|admin[ \t]+(?=\S+[ \t]+\S))?\"?[A-Za-z][\w.@-]{0,40}\"?[ \t]+"
        rf"(?:encrypted[ \t]+|root[ \t]+)?{QUOTE}){MADE}",
    ),
    # authentication value, in the lines of protocols that have one
    Worded(
        ("authentication",),
        r"(?P<keep>^(?=[^\n]{0,80}\b(?:nhrp|vrrp|hsrp|standby|glbp|isis|is-is|ospf|rip|eigrp|ntp)\b)[^\n]{0,120}"
        rf"\bauthentication(?:-mode)?[ \t]+(?:\S+[ \t]+[0-9]{{1,3}}[ \t]+)?(?:(?:{_ALGORITHM}|\S+-sha\S*)[ \t]+)?"
        rf"(?:(?:usual|text|cipher|simple|plain)[ \t]+)?{_HOW}{QUOTE}){MADE}",
    ),
    Worded(("spi",), r"(?P<keep>\bipsec spi [0-9]+ (?:esp )?\S+ )(?!\(masked)\S.*$"),
    # communities that are called otherwise, or stand in a block of their own
    Worded(
        ("community",),
        rf"(?P<keep>(?<![\w-])[\w-]{{0,20}}community-?[Nn]ame[ \t]+{_HOW}{QUOTE})(?!\(masked|[{{\[(])[^\s\"';]{{2,}}",
    ),
    Worded(
        ("community",),
        rf"(?P<keep>(?<![\w-])community[ \t]+{QUOTE})(?!\(masked|[0-9]+:|[{{\[(])[^\s\"';]{{2,}}"
        r"(?=[\"']?[ \t]+(?:hash2?|authorization|subnet|r[ow]a?|read-?(?:only|write)|client)\b)",
    ),
    Worded(("community",), rf"(?P<keep>(?<![\w-])community[\w.]{{0,20}}(?:[ \t]?=[ \t]?|:[ \t]?){QUOTE}){MADE}"),
    Worded(
        ("(masked)",),
        rf"(?P<keep>\bcommunity[ \t]+\(masked\)[^\n]{{0,60}}?[ \t](?:text-)?name[ \t]+{QUOTE})(?!\(masked)[^\s\"']+",
    ),
    Worded(
        ("snmp",),
        r"(?P<keep>^[ \t]*snmp(?:-server|-agent)?[ \t][^\n]{0,40}?(?:trap-)?host[ \t]+[0-9A-Fa-f.:]{3,40}[ \t]+\"?)"
        rf"{MADE}(?=\"?[ \t]*(?:$|udp-port|snmp|traps?|informs?|version (?:1|2c)|[0-9]))",
    ),
    Worded(
        ("securityname",),
        rf"(?P<keep>^(?![^\n]{{0,200}}\bv3\b)[^\n]{{0,200}}[ \t]securityname[ \t]+(?:cipher[ \t]+)?){MADE}",
    ),
    # password level 15 value: the level was taken for it
    Worded(
        ("(masked)",),
        rf"(?P<keep>\b(?i:password|secret|passwd)[ \t]+\(masked\)[ \t]+"
        rf"(?:[0-9]{{1,2}}[ \t]+)?(?:encrypted[ \t]+)?{QUOTE}){MADE}",
    ),
    # pass: value, "pwd": "value", "md5Key": "value", "ro_communities": ["value"]
    Worded(
        ("pass:", "pw:", "pwd:"),
        rf"(?P<keep>^[ \t-]*(?:pass|pw|pwd):[ \t]+{QUOTE})"
        r"(?!\(masked|[/$%<{|>!&*]|(?:yes|no|true|false|on|off|null)\b)[^\s\"']{3,}",
    ),
    Worded(
        ('key"',),
        r"(?P<keep>\"\w{0,40}(?:[Mm]d5|[Ss]ha[0-9]{0,3}|[Aa]uth|[Pp]riv(?:ate)?|[Ss]hared|[Ss]ecret|[Ww]ep|[Ww]pa|[Pp]sk"
        r"|[Ee]ncryption)Key\""
        r"[ \t]*:[ \t]*\")"
        r"(?!\(masked|[/$%<{]|(?i:yes|no|true|false|on|off|none|null|enabled?|disabled?)\")[^\"\n]{3,}(?=\")",
    ),
    Worded(
        ('pwd"', 'pass"', 'key"'),
        r"(?P<keep>\"(?!\w{0,40}(?i:public|pub_?key|host|sort|foreign|primary|finger))"
        r"\w{0,40}(?:[Pp]wd|[Pp]ass|[a-z0-9]Key)\"[ \t]*:[ \t]*\")"
        r"(?!\(masked|[/$%<{])(?=[^\"\n]{0,200}[0-9])(?=[^\"\n]{0,200}[A-Za-z])[^\"\n]{6,}(?=\")",
    ),
    Worded(
        ('pwd"', 'pass"'),
        r"(?P<keep>\"\w{0,40}(?:[Pp]wd|[Pp]ass)\"[ \t]*:[ \t]*\")(?!\(masked|[/$%<{]"
        r"|(?i:yes|no|true|false|on|off|none|null|enabled?|disabled?)\")[^\"\n]{4,}(?=\")",
    ),
    Worded(("communit",), r"(?P<keep>\"\w{0,30}communit(?:y|ies)\"[ \t]*:[ \t]*\[[ \t]*\")(?!\d+:)[^\"\n]+(?=\")"),
    # NX-OS: Community name: value
    Worded(("community",), r"(?P<keep>^[ \t]*(?i:community[ \t]+(?:security)?name):[ \t]*)\S+"),
    # :value@host of a mail server, a header, what a shell hands to chpasswd
    Worded(("mail-server",), r"(?P<keep>\bmail-server[ \t]+[^\s:@]{0,60}:)\S+(?=@)"),
    Worded(("cookie:",), r"(?P<keep>(?i:(?:set-)?cookie):[ \t]*)(?!\(masked)[^\s\"'](?:=[\"'](?!\s)|[^\n\"'])*"),
    Worded(("chpasswd",), r"(?P<keep>[\"' \t][\w.-]{1,40}:)[^\s\"':]+(?=[\"']?[ \t]*\|[ \t]*(?:sudo[ \t]+)?chpasswd)"),
    # net-snmp's arguments and its own file of users
    Worded(("sess",), r"(?P<keep>^[ \t]*(?:trap|inform)sess[ \t][^\n]{0,120}?-c[ \t]+)(?!\(masked)\S+"),
    Worded(("usmuser",), r"(?P<keep>^[ \t]*usmUser[ \t][^\n]{1,200}\.10\.1\.1\.[0-9]{1,2}[ \t]+)(?!\(masked)\S+"),
    Worded(("usmuser",), r"(?P<keep>^[ \t]*usmUser[ \t][^\n]{1,300}\.10\.1\.2\.[0-9]{1,2}[ \t]+)(?!\(masked)\S+"),
    # a mobile profile: chap name value; keyhash value; authkey set value
    Worded(
        ("chap", "pap"),
        r"(?P<keep>^(?=[^\n]{0,120}\b(?:cellular|apn|lte|profile)\b)[^\n]{0,160}?[ \t](?:chap|pap|pap_chap)[ \t]+"
        r"(?!(?:password|hostname|username|sent-username|user)\b)\S+[ \t]+)(?!\(masked)"
        r"(?:\"[^\"\n]+\"|'[^'\n]+'|[^\s\"']+(?=[ \t]+ipv|[ \t\r]*$))",
    ),
    Worded(
        ("keyhash", "authkey"),
        rf"(?P<keep>\b(?:keyhash|authkey[ \t]+(?:set|\(masked\)))[ \t]+{QUOTE})(?!\(masked)[^\s\"']+",
    ),
    # Behind another secret's keyword, the word password or secret is the secret itself, and no keyword.
    Worded(
        ("password", "secret"),
        r"(?P<keep>(?<![\w-])(?:cypher|authenticator|passwd|authpwd|privpwd|auth-pwd|priv-pwd|cpwd|epwd|lsp-pass|bindpw"
        r"|idtoken|preshared-key encrypted|authentication encrypt|(?:auth-)?(?:md5|sha[0-9-]*)(?: encrypt(?:ed)?| hex)?"
        r"|(?:encrypt-)?(?:aes[0-9-]*|3?des[0-9]*)(?: encrypt(?:ed)?)?|priv|privacy|cak"
        r"|snmp-server community(?: cipher| v1v2| [0-9])?|community-group|set-community|trap-community"
        r"|authentication-key [0-9]{1,5}"
        r"|(?:password|passwd|secret)[ \t]+[05-9])(?:[ \t]+|=))"
        r"(?:password|secret(?![ \t]+\(masked\)))(?=[ \t\r]|$)",
    ),
    # key 'value', wep_key_1 value: whatever it looks like
    Worded(("key",), r"(?P<keep>^[ \t]*key[ \t]+')[^'\n]+(?=')"),
    Worded(
        ("wep", "pswd"),
        rf"(?P<keep>(?<![\w-])(?:wep_?key_?[0-9]|\w{{1,20}}_pswd)[ \t]+{QUOTE})(?!\(masked)[^\s\"']+",
    ),
    Worded(
        ("remote",),
        rf"(?P<keep>\bpre-?shared-key[ \t]+local[ \t]+[^\n]{{0,20}}\(masked\)[ \t]+remote[ \t]+{_HOW})(?!\(masked)\S+",
    ),
    Worded(
        ("snmp",),
        rf"(?P<keep>\b(?i:snmp)[^\n]{{0,120}}[ \t](?:version[ \t]+)?v?(?:1|2c)[ \t]+{QUOTE}){MADE}"
        r"(?=[\"']?[ \t\r]*$)",
    ),
    # -cvauth=key,value
    Worded(("auth=",), r"(?P<keep>-\w{0,10}auth=(?:key|token),)(?!/)[^\s,\"']+"),
    Worded(
        _SPEAKS,
        Section(
            begins=rf"^(?=[^\n]*?[A-Za-z0-9+/]{{16}})(?=[^\n]*?(?i:{'|'.join(_SPEAKS)})){_OTHER}[^\n]+",
            ends=r"$",
            secrets=(rf"(?P<keep>(?<=[\s\"'=:,]){_NAMED})(?:{_HEX}|{_BASE64})(?=[\"']?[;,]?(?:[ \t\r]|$))",),
        ),
    ),
)
