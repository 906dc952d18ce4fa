# 2026-11-17 10:15:02 by RouterOS 7.10.1
# software id = A1B2-C3D4
#
# model = CHR
# serial number = HF1234567
/interface bridge
add name=bridge-lan
/interface wireguard
add comment="to Hamburg" listen-port=13231 mtu=1420 name=wg-hh private-key=\
    "aGFtYnVyZy1wcml2YXRlLWtleS1ub3QtcmVhbC0xMjM="
/interface wifi
# operated on 5180/ax/Ceee, SSID: office
set [ find default-name=wifi1 ] channel.band=5ghz-ax configuration.ssid=office \
    security.authentication-types=wpa2-psk,wpa3-psk .passphrase="juniper \"berry\" \
    bush"
/interface wireguard peers
add allowed-address=10.9.0.2/32 interface=wg-hh preshared-key=\
    "cHJlc2hhcmVkLWtleS1ub3QtcmVhbC00NTY3ODkwMTI=" public-key=\
    "cHVibGljLWtleS1pcy1ubyBzZWNyZXQtMTIzNDU2Nzg="
/ip ipsec identity
add peer=berlin secret=walnut-17
/ppp secret
add name=anna password=cinnamon service=l2tp
/snmp community
set [ find default=yes ] addresses=192.0.2.0/24 name=marmalade
add addresses=::/0 authentication-password=nutmeg1234 encryption-password=\
    clove12345 name=v3user security=private
/snmp
set contact=anna enabled=yes location="Basement 1"
/routing bgp connection
add as=65010 disabled=no name=transit remote.address=198.51.100.1 \
    tcp-md5-key=saffron
/ip firewall filter
# inactive time
add action=accept chain=input comment="# inactive time, says the comment" \
    time=8h-17h,mon,tue
/radius
add address=192.0.2.51 secret=turmeric service=login
/system identity
set name=hh-gw-1
/system script
add dont-require-permissions=no name=hello owner=anna policy=read source=":put \"\
    # not a comment\"\r\
    \n:put \"[admin@MikroTik] > /export\""
#error exporting "/system/routerboard/mode-button"
