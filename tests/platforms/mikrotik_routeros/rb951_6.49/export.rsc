# nov/17/2026 10:15:02 by RouterOS 6.49.17
# software id = Z9Y8-X7W6
#
# model = 951G-2HnD
# serial number = 4A5B06C7D8E9
/interface wireless security-profiles
set [ find default=yes ] authentication-types=wpa2-psk mode=dynamic-keys \
    supplicant-identity=MikroTik wpa2-pre-shared-key=blackberry
/interface ethernet
# poe-out status: short_circuit
set [ find default-name=ether5 ] poe-out=auto-on
/ip address
add address=192.168.88.1/24 interface=ether2 network=192.168.88.0
/system identity
set name=shed
