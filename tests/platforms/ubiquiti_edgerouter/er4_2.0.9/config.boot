interfaces {
    ethernet eth0 {
        address 203.0.113.2/24
        description Internet
    }
}
service {
    snmp {
        community birne-7 {
            authorization ro
        }
    }
}
system {
    host-name berlin-gw-2
    login {
        user anna {
            authentication {
                encrypted-password $5$Zx9kQ2bV$tYp0mNrW1sLdHf7uJc3eA
            }
            level admin
        }
    }
}
vpn {
    ipsec {
        site-to-site {
            peer 198.51.100.9 {
                authentication {
                    pre-shared-secret Quitte-4
                }
            }
        }
    }
}


/* Warning: Do not remove the following line. */
/* === vyatta-config-version: "config-management@1:conntrack@1" === */
/* Release version: v2.0.9-hotfix.7.5622731.230615.0857 */
