r"""Secrets that programs inside a configuration carry: scripts, agents, containers, HTTP headers, net-snmp's arguments.

They are no vendor's words, so they are looked for on every platform. A token is made by a machine: where its name says
little, the value must look like one.
"""

from __future__ import annotations

from inventory.platforms.sheet import Section, Worded

_WORD = r"[^\s\"',;<>]"
# No secret follows: a setting, a path, a variable, or what is masked already.
_NOTHING = (
    r"(?!(?:none|null|true|false|yes|no|on|off|enabled?|disabled?|required|optional|prompt|default|default-key)(?![\w-])"
    r"|[/$%<\[{(])"
)
_GIBBERISH = rf"(?={_WORD}{{0,200}}[0-9])(?={_WORD}{{0,200}}[A-Za-z])"
_PUBLIC = (
    r"(?![\w.-]{0,60}(?i:pub|host|finger|foreign|primary|sort|hash[-_.]|routing|ssh))"  # the name of what is not hidden
)
# What stands before a colon and an @ without being somebody's name.
_NO_USER = (
    r"(?!(?i:sips?|tel|xmpp|urn|im|acct|ssh|https?|s?ftp|scp|tftp|git|ldaps?|[\w.-]{0,20}mail(?:to)?|contact|noc"
    r"|from|to|cc|by|author|owner|support):)"
)

PROGRAMS: tuple[Worded, ...] = (
    # NAME_TOKEN=value, ssh_pass: value
    Worded(
        ("token", "pass", "pwd", "_pw", "-pw"),
        r"(?P<keep>(?<![\w-])(?i:[\w.-]{0,40}token|[\w.-]{1,40}[_-]pass|[\w.-]{1,40}[_-]pwd?)[\"']?"
        rf"(?:[ \t]?=[ \t]?|:[ \t]?)[\"']?){_NOTHING}{_WORD}{{3,}}",
    ),
    # wireless.1.iapp_key=value, otp: value: a name that says little, before what a machine has made
    Worded(
        ("key", "cred", "otp", "pw", "pass"),
        rf"(?P<keep>(?<![\w.-]){_PUBLIC}(?i:[\w.-]{{1,60}}[_.-]key|otp|[\w.-]{{0,60}}(?:passcode|creds?|credentials?|[_.-]pw))"
        rf"[\"']?[ \t]?[=:][ \t]?[\"']?){_NOTHING}{_GIBBERISH}{_WORD}{{6,}}",
    ),
    # api-token value, idtoken value; a bare token only where it looks like one
    Worded(
        ("token", "pass", "pwd", "pw", "cred"),
        rf"(?P<keep>(?<![\w.-])(?!strong-pwd|fortitoken)(?i:[\w-]{{1,40}}(?:token|[_-](?:pass|pwd|pw"
        rf"|creds?)))[ \t]+(?:[05-9][ \t]+)?[\"']?){_NOTHING}"
        rf"(?:{_GIBBERISH}{_WORD}{{6,}}|(?=[a-z]){_WORD}{{9,}}|[0-9]{{6,}})",
    ),
    Worded(
        ("token",),
        rf"(?P<keep>(?<![\w.-])(?i:token)[ \t]+(?:[05-9][ \t]+)?[\"']?){_NOTHING}{_GIBBERISH}{_WORD}{{8,}}",
    ),
    # a small word, where nothing else can stand: token value on a line of its own, auth-token 0 value, lsp-pass value
    Worded(
        ("token", "pass", "pwd", "pw"),
        rf"(?P<keep>(?:^[ \t]+token|\bserver[ \t]+token|[\w-]{{0,40}}token[ \t]+[05-9]|\bidtoken"
        rf"|(?<![\w-])(?:auth|priv|lsp|common|radius-common|login|user|admin)-(?:pass|pwd|pw))[ \t]+[\"']?)"
        rf"{_NOTHING}(?!bucket|ring){_WORD}{{3,}}",
    ),
    # --token value, --db-password=value
    Worded(
        ("--",),
        r"(?P<keep>(?<=[\s\"'])--(?i:[\w-]{0,40}(?:token|password|passwd|passphrase|secret|psk|[_-]pass|api-?key))"
        rf"(?:=|[ \t]+)[\"']?){_NOTHING}(?!-){_WORD}+",
    ),
    # environment SESSION_SECRET value value
    Worded(
        ("environment",),
        r"(?P<keep>\benvironment[ \t]+['\"]?(?i:\w{0,60}(?:secret|password|passwd|token|key|_pass))['\"]?[ \t]+"
        rf"value[ \t]+['\"]?){_WORD}+",
    ),
    # -pw value, -bindPassword value
    Worded(
        (" -",),
        r"(?P<keep>(?<=[ \t])-(?i:[A-Za-z]{0,30}(?:password|passwd|passphrase|secret|psk|pwd?|token"
        r"|passcrypt|passplain|keyvalue|communityname))[ \t]+[\"']?)"
        rf"{_NOTHING}(?!-){_WORD}+",
    ),
    # radius add 192.0.2.1 -k value
    Worded((" -k",), rf"(?P<keep>\b(?:radius|tacacs)[^\n]{{1,80}}[ \t]-k[ \t]+[\"']?){_NOTHING}(?!-){_WORD}+"),
    # Authorization: Bearer value
    Worded(
        ("authorization",),
        r"(?P<keep>\b(?i:authorization)[\"']?[ \t]*[:=,]?[ \t]*[\"']?(?i:bearer|basic|token|apikey|digest|ssws)"
        r"[ \t]+[\"']?)"
        rf"{_NOTHING}{_WORD}{{6,}}",
    ),
    # user:password@host, without a scheme before it
    Worded(
        ("@",),
        rf"(?P<keep>(?<![\w:/.@-]){_NO_USER}[A-Za-z][\w.-]{{0,60}}:)(?!//)[^\s:/\"'(]{{1,100}}(?=@[A-Za-z0-9\[])",
    ),
    Worded(
        ("curl",),
        rf"(?P<keep>\bcurl\b[^\n]{{0,200}}?[ \t](?:-u|--user)[ \t=]{{0,8}}[\"']?[^\s:\"']{{1,60}}:[\"']?){_WORD}+",
    ),
    # ipsec.secrets: name : XAUTH "value"
    Worded(
        (": ",),
        r"(?P<keep>(?:^|[ \t]): (?:XAUTH|EAP|NTLM|PIN|PPKS?(?:[ \t]+\"[^\"\n]*\"(?=[ \t]+\"))?|(?:RSA"
        r"|ECDSA|P12|PKCS8)[ \t]+\S+)[ \t]+\"?)"
        r"(?!%prompt)[^\"\n]+",
    ),
    # The key in a device's way home: wss://host:443+value+option
    Worded(("wss://",), r"(?P<keep>\bwss://[^\s+\"']{1,200}\+)[^\s+\"']+"),
    # ipmitool -P value, smbclient -U name%value, net use Z: share value /user:name
    Worded(("ipmitool",), rf"(?P<keep>\bipmitool\b[^\n]{{0,200}}?[ \t]-P[ \t]*[\"']?){_WORD}+"),
    Worded((" -u",), rf"(?P<keep>[ \t]-U[ \t]*[\"']?[^\s%\"']{{1,60}}%){_WORD}+"),
    Worded(
        ("/user:",), rf"(?P<keep>\bnet use [^\n]{{0,200}}?[ \t][\"']?)(?![/*\\]){_WORD}[^\"'\n]*?(?=[\"']?[ \t]+/user:)"
    ),
    # a name that ends so, and its value: admpw value, rcomm value
    Worded(
        ("admpw", "authpw", "privpw", "userpw", "usrpw", "operpw", "slbpw", "enablepw", "rcomm", "wcomm", "tcomm"),
        r"(?P<keep>^[ \t]*(?:(?:adm|auth|priv|usr|user|oper|slb|enable)pw|[rwt]comm)[ \t]+"
        r")(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s\"']+)(?=[ \t\r]*$)",
    ),
    # password plain:value, password nt value
    Worded(("plain:", " nt "), r"(?P<keep>\bpassword[ \t]+(?:plain:|nt[ \t]+))(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s\"']+)"),
    Worded(("mysql",), rf"(?P<keep>\bmysql\w*\b[^\n]{{0,200}}?[ \t]-p)(?![ \t]){_WORD}+"),
    Worded(
        ("aws_",),
        rf"(?P<keep>\baws_(?:access_key_id|secret_access_key|session_token)[ \t]*[=:]?[ \t]*[\"']?){_WORD}{{8,}}",
    ),
    # user=name:value
    Worded(("user=",), rf"(?P<keep>(?<![\w-])user=[^\s:=]{{1,60}}:[\"']?){_WORD}{{3,}}"),
    Worded(("sshpass",), rf"(?P<keep>\bsshpass[ \t]+-p[ \t]*[\"']?){_WORD}+"),
    Worded(
        ("net-snmp-c",),
        Section(
            begins=r"^[^\n]{0,200}\bnet-snmp-c[^\n]+",
            ends=r"$",
            secrets=(rf"(?P<keep>[ \t]-[aAxX][ \t]*[\"']?)(?!(?i:md5|sha|des|aes)){_WORD}+",),
        ),
    ),
    Worded((" -3m", " -3k"), rf"(?P<keep>[ \t]-3[mMkK][ \t]+[\"']?){_WORD}{{6,}}"),
    # net-snmp's: trapsess -v 3 -A value -X value, proxy -c value
    Worded(("trapsess", "proxy"), rf"(?P<keep>^[ \t]*(?:trapsess|proxy)\b[^\n]{{0,200}}?[ \t]-c[ \t]*[\"']?){_WORD}+"),
    Worded(("trapsess", "proxy"), rf"(?P<keep>^[ \t]*(?:trapsess|proxy)\b[^\n]{{0,200}}?[ \t]-A[ \t]*[\"']?){_WORD}+"),
    Worded(("trapsess", "proxy"), rf"(?P<keep>^[ \t]*(?:trapsess|proxy)\b[^\n]{{0,200}}?[ \t]-X[ \t]*[\"']?){_WORD}+"),
)
