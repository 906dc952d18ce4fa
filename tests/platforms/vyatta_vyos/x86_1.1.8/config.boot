interfaces {
    ethernet eth0 {
        address 192.0.2.9/24
    }
}
system {
    host-name berlin-edge-6
    login {
        user anna {
            authentication {
                encrypted-password $1$Zx9kQ2bV$tYp0mNrW1sLdHf7uJc3eA
            }
        }
    }
}

/* Warning: Do not remove the following line. */
/* === vyatta-config-version: "system@6:vrrp@1" === */
/* Release version: VyOS 1.1.8 */
