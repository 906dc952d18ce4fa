firewall {
    global-options {
        all-ping "enable"
    }
}
interfaces {
    ethernet eth0 {
        address "dhcp"
        hw-id "52:54:00:12:34:56"
    }
    wireguard wg0 {
        peer HAMBURG {
            preshared-key "cHJlc2hhcmVkLWtleS1ub3QtcmVhbC00NTY3ODkwMTI="
            public-key "cHVibGljLWtleS1pcy1ubyBzZWNyZXQtMTIzNDU2Nzg="
        }
        private-key "aGFtYnVyZy1wcml2YXRlLWtleS1ub3QtcmVhbC0xMjM="
    }
}
pki {
    certificate gw {
        private {
            key "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg"
        }
    }
}
service {
    snmp {
        community marmalade {
            authorization "ro"
        }
    }
}
system {
    host-name "ber-gw-1"
    login {
        radius {
            server 192.0.2.51 {
                key "cardamom"
            }
        }
        user anna {
            authentication {
                encrypted-password "$6$rounds=656000$Xb1sT0pQ$Vw9Xy1Za2Bc4De6Fg8Hi0Jk2Lm4No6Pq8Rs0Tu2"
                public-keys desk {
                    key "AAAAC3NzaC1lZDI1NTE5AAAAIK3"
                    type "ssh-ed25519"
                }
            }
        }
    }
}


// Warning: Do not remove the following line.
// vyos-config-version: "bgp@5:broadcast-relay@1:cluster@2"
// Release version: 1.4.3
