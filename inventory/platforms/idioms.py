r"""What many command lines have in common: pieces for sheets, so that sixty of them need not say the same again."""

from __future__ import annotations

from inventory.platforms.sheet import Section, Worded

# A word, or words in quotation marks; a chain of keys is named, and holds none itself.
VALUE = r"""(?:"(?:[^"\\\n]|\\.)*"|(?!key-?chain[ \t])\S+)"""
# How a value is written, in the words and numbers that stand before it: 0 in clear, 5, 7 ..., encrypted, md5, key 1 ...
WRITTEN = (
    r"[0-9]{1,2}|(?:un|(?:secret|password|key|pwd)-)?encrypted|encrypt|encryption-type|irreversible-cipher|cipher(?:text|ed)?|simple|no-encryption"
    r"|plain(?:-?text)?|clear(?:-?text)?|text|ascii(?:-text)?|hex(?:adecimal)?(?:-text)?|hash(?:ed)?|bcrypt|string|char|ENC|8a|ns3"
    r"|(?:hmac-)?(?:md5|sha-?[0-9]*(?:-[0-9]+)?)|localized(?:-key)?"
)
TYPE = rf"(?>(?:(?:{WRITTEN})[ \t]{{1,4}}){{0,4}})"  # none of it given back: such a word is never the value
HOST_OPTION = "(?:vrf|use-vrf|filter-vrf|source-interface|version|traps?|informs?|udp-port|port|v[123]c?)"

NTP_OPTION = "(?:prefer|iburst|burst|version|source|minpoll|maxpoll|vrf|use-vrf|source-interface|key)"

# Command lines that look like Cisco's: IOS, NX-OS, EOS, FRR and the many that followed them.
CISCO_SECRETS: tuple[str | Worded, ...] = (
    # What an applet answers when it is asked for a password
    r"(?P<keep>pattern \"[^\"\n]{0,40}assword[^\"\n]{0,20}\"[ \t\r]*\n[^\n]{0,80}?\bcommand \")[^\"\n]+",
    Worded(
        ("secret", "password", "passphrase"),
        rf"(?P<keep>\b(?<!\bno-)(?:secret|password|passphrase) (?:level [0-9]+ )?{TYPE})"
        rf"(?!encryption\b|keyboard\b|publickey\b"
        rf"|shared-secret profile\b|strength|min|max|policy\b|level\b|(?:change|input|complexity)[ \t]*$"
        rf"|sha(?:1|256)[ \t]*$"
        r"|is\b|was\b|hardening\b|reset\b|(?:serial|telnet|ssh|console) (?:none|local|radius|tacacs)\b|lifetime\b"
        r"|profile\b|[0-9] |control (?:un)?restricted"
        rf"|(?:manager|operator|all|port-access) (?:user-name|sha1|sha256|plaintext) ){VALUE}",
    ),
    Worded(
        ("static-wep-key",),
        rf"(?P<keep>\bstatic-wep-key encryption [0-9]+ (?:ascii|hex) (?:[0-9] )?){VALUE}",
    ),
    Worded(  # the passphrase of a key that is taken out or in
        ("export", "import"),
        r"(?P<keep>\bcrypto (?:key|pki|ca) (?:export|import) [^\n]{1,120} (?:3des|des|terminal|[a-z0-9]+:\S*) )"
        rf"(?!3des|des\b){VALUE}(?=[ \t\r\"]*$)",
    ),
    Worded(
        ("community",),
        rf"(?P<keep>^[ \t]*snmp-server community (?:[0-9] (?=[$.(]))?)"
        rf"(?!(?:read|write|r[ow]|mode|ip(?:addr|mask) \S+) \(masked\)){VALUE}",
    ),
    Worded(
        ("snmp-server",),
        r"(?P<keep>^[ \t]*snmp-server host \S+ (?:(?:vrf|use-vrf) \S+ )?(?:(?:traps?|informs?) )?"
        rf"(?:version (?:1|2c) )?(?:udp-port \d+ )?)"
        rf"(?!{HOST_OPTION} |\S+ (?:(?:poll|trap) )?community ){VALUE}",
    ),
    Worded(("snmp-server",), rf"(?P<keep>^[ \t]*snmp-server user .*?\bauth (?:md5|sha\S*) {TYPE}){VALUE}"),
    Worded(
        ("snmp-server",),
        r"(?P<keep>^[ \t]*snmp-server user .*?\bpriv (?:(?:aes|3?des)-?[0-9]{0,3}(?:-?(?:c|cfb|cbc"
        r"|cisco|ede))? (?:\d{3} )?)?"
        rf"{TYPE}){VALUE}",
    ),
    Worded(("radius-server", "tacacs-server"), rf"(?P<keep>^[ \t]*(?:radius|tacacs)-server\b.*? key {TYPE}){VALUE}"),
    Worded(("community-map",), rf"(?P<keep>^[ \t]*snmp mib community-map ){VALUE}"),
    Worded(("-key", "pac"), rf"(?P<keep>\b(?:(?:server|client|authorization)-key|pac key) {TYPE}){VALUE}"),
    # The string of a key may be several words.
    Worded(("key-string",), rf"(?P<keep>^[ \t]+key-string (?:password )?{TYPE})\S.*$"),
    Worded(
        ("-string", "key-hex"),
        rf"(?P<keep>\b(?:key-(?:octet-)?string|key-hex"
        rf"|hexadecimal-string) (?:password (?!cryptographic-))?{TYPE})(?!row[ \t]+\"ssh-){VALUE}",
    ),
    Worded(("key",), rf"(?P<keep>^[ \t]+address ipv[46] \S+ .*?\bkey {TYPE}){VALUE}"),
    # OSPFv3: more than one key may follow
    Worded(("spi",), r"(?P<keep>\bipsec spi \d+ (?:esp )?\S+ )\S.*$"),
    Worded(("authentication ",), rf"(?P<keep>\bauthentication (?:text|string|key|ah-md5) {TYPE}){VALUE}"),
    Worded(("server-private",), rf"(?P<keep>^[ \t]+server-private \S+.*? key {TYPE}){VALUE}"),
    Worded(("key",), rf"(?P<keep>^[ \t]+key (?!chain\b|\d{{1,6}}\s*$){TYPE}){VALUE}\s*$"),
    # Type and value, anywhere; behind an NTP server stands the number of a key.
    Worded(("key ",), rf"(?P<keep>(?<![\w-])key (?:0|6|7|8a?) )(?!{NTP_OPTION}\b){VALUE}"),
    Worded(("group ",), rf"(?P<keep>^[ \t]+group \S+ key {TYPE}){VALUE}"),  # ezvpn
    Worded(("syscon",), rf"(?P<keep>^[ \t]*syscon address \S+ ){VALUE}"),
    # What an applet keeps a password in
    Worded(
        ("action ",),
        rf"(?P<keep>^[ \t]*action \S+ set \S{{0,30}}(?i:pw|pass|commun|key|secret|token|cred)\S{{0,30}} ){VALUE}",
    ),
    Worded(
        ("environment",),
        r"(?P<keep>^[ \t]*event manager environment "
        r"\S{0,40}(?i:pw|pass|commun|key|secret|token|cred|bearer)\S{0,30} )\S.*$",
    ),
    Worded(
        ("message-digest-key", "authentication-key"),
        rf"(?P<keep>\b(?:message-digest-key|authentication-key) \d+ \S+ {TYPE}){VALUE}",
    ),
    Worded(("authentication-key",), rf"(?P<keep>\bospf authentication-key {TYPE}){VALUE}"),
    Worded(
        ("standby", "vrrp", "glbp"),
        rf"(?P<keep>^[ \t]*(?:standby|vrrp|glbp)\b.*? authentication (?:text |md5 key-string )?{TYPE})(?!md5\b){VALUE}",
    ),
    Worded(("isakmp",), rf"(?P<keep>^[ \t]*crypto isakmp key {TYPE}){VALUE}"),
    Worded(
        ("pre-shared-key",),
        r"(?P<keep>\bpre-shared-key (?:(?:local|remote|hex) )?(?:address \S+(?: \d+\.\d+\.\d+\.\d+)? key )?"
        rf"{TYPE}){VALUE}",
    ),
    Worded(
        ("area-password", "domain-password"),
        rf"(?P<keep>^[ \t]*(?:area-password|domain-password) (?:(?:clear|md5) )?{TYPE}){VALUE}",
    ),
    Worded(("nhrp",), rf"(?P<keep>^[ \t]*ip nhrp authentication ){VALUE}"),
    Worded(("psk",), rf"(?P<keep>\bpsk (?:set-key )?{TYPE})(?!enable\b|disable\b){VALUE}"),
)

# Broadcom's FASTPATH and what its many buyers made of it, where no other command line has the same words.
FASTPATH_SECRETS: tuple[str, ...] = (
    rf"(?P<keep>^[ \t]*users passwd \S+ (?:encrypted )?){VALUE}",
    rf"(?P<keep>^key {TYPE}){VALUE}",
    rf"(?P<keep>^[ \t]*snmptrap )(?!snmpversion |mode ){VALUE}",
)

CISCO_REFUSALS: tuple[str, ...] = (
    r"^[ \t]*% ?(?:Invalid (?:input|command)|(?:Incomplete|Ambiguous|Unknown|Unrecognized) command)",
    r"^[ \t]*(?:% ?)?(?:Command a|A)uthorization (?:failed|denied)",
    r"^[ \t]*% ?(?:Permission denied|Access denied|Error opening|Bad )",
)

# The database of SONiC, in JSON.
CONFIG_DB_SECRETS: tuple[str | Section, ...] = (
    r"(?P<keep>\"(?:\w{0,30}(?:passkey|password|passwd|auth_key|secret)|community)\": )\"[^\"\n]*\"",
    # The names of communities are keys of their own.
    Section(
        begins=r"^(?P<in> +)\"SNMP_COMMUNITY\": \{",
        ends=r"^(?P=in)\}",
        secrets=(r"(?P<keep>^[ \t]+\")[^\"\n]+(?=\": \{)(?<!SNMP_COMMUNITY)",),
    ),
    Section(
        begins=r"^(?P<in> +)\"NTP_KEY\": \{",
        ends=r"^(?P=in)\}",
        secrets=(r"(?P<keep>^[ \t]+\"value\": \")[^\"\n]+(?=\")",),
    ),
)

# Elements of an XML document, one to a line or all in one; the value itself may be over several lines.
_NO_KEY = (  # elements that are called like one
    r"(?!\w{0,20}bypass>|passwordauth>|(?:widget|prefetch)key>"
    r"|[\w.-]{0,40}(?:pub(?:lic)?|host|sort|foreign|primary|(?<![A-Za-z])re|(?<=[a-z])Re)-?_?[Kk]ey>)"
)
XML_SECRETS: tuple[str, ...] = (
    rf"(?P<keep><{_NO_KEY}(?:[\w.-]{{0,40}}(?:[-_]hash|phash|key|community(?:-string)?|pass|pwd|pswd|[a-z]pw|auth-?code"
    r"|auth-?data|password\w{0,10}|passwd|passcode|_seed|secret[\w-]{0,10}|token(?:[_-]\w{1,20})?|creds?|credentials?|psk"
    r"|pkcs12|pkcs11pin|simpin|keydata|trapstring|[a-z]Key|keyHandle|(?i:community-?(?:string|name)))"
    r"|Key|prv|tls|seed|api|xmldata|ascii-text)(?:[ \t][^<>\n]{0,200})?>(?:<!\[CDATA\[)?)(?!(?:yes|no|true|false"
    r"|on|off|[0-9]{1,4})[<\]])"
    r"[^<\s][^<]{0,20000}?(?=\]?\]?>?</)",
    r"(?P<keep><(?i:community[\w-]{0,20})>[ \t]*<name>)[^<\n]+",
    # <username>user:password:address</username>
    r"(?P<keep><username>(?:<!\[CDATA\[)?[^<:\s]{1,60}:)[^<:\s]+(?=:)",
)

# Command lines that name how a value is written before it: Comware and VRP.
CIPHER_SECRETS: tuple[str, ...] = (
    # not `ssh server cipher aes256_ctr`, which names a method
    r"(?<!server )(?<!client )(?<!md5-password )(?P<keep>\b(?:irreversible-cipher|cipher|simple|plain|hash) )"
    r"(?!authentication-mode |privacy-mode )\S+",
    r"(?P<keep>\bmd5-password (?:cipher|plain|simple) \S+ )\S+",
    r"(?P<keep>^[ \t]*key (?:authentication|accounting|authorization) )(?!cipher |simple )\S+",
    r"(?P<keep>^[ \t]*snmp-agent usm-user v[12]c? )\S+",  # a community by another name
    r"(?P<keep>^[ \t]*ldap-server authentication manager \S+ )(?!cipher )\S+",
    r"(?P<keep>\b(?:authentication|privacy)-mode (?:md5|sha\S*|aes\S*|3des|des56) )"
    r"(?!cipher |simple |plain |usual |rfc2453 )\S+",
    r"(?P<keep>^[ \t]*snmp-agent community (?:read|write) )(?!cipher |simple )\S+",
    r"(?P<keep>^[ \t]*snmp-agent target-host .{0,200} securityname )(?!cipher )\S+",
)
