"""Diffie-Hellman for old devices by OpenSSL.

paramiko reckons the groups 14 and 16 with Python's integers: 20 and 75 ms of CPU per login, against 1 and 3 ms here.
The exchange is RFC 4253, section 8; only where the numbers come from differs.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import dh
from cryptography.utils import CryptographyDeprecationWarning
from paramiko.kex_group1 import _MSG_KEXDH_REPLY, KexGroup1, c_MSG_KEXDH_INIT
from paramiko.kex_group14 import KexGroup14, KexGroup14SHA256
from paramiko.kex_group16 import KexGroup16SHA512
from paramiko.message import Message
from paramiko.ssh_exception import SSHException

# Devices that know nothing newer will be around for longer than the warning.
warnings.filterwarnings("ignore", "Diffie-Hellman over finite fields", CryptographyDeprecationWarning)


@cache
def _parameters(prime: int, generator: int) -> dh.DHParameters:
    return dh.DHParameterNumbers(prime, generator).parameters()


class _ByOpenSSL(KexGroup1):
    """The client's half of the exchange; we are never a server."""

    def start_kex(self) -> None:
        self._private = _parameters(self.P, self.G).generate_private_key()
        self.e = self._private.public_key().public_numbers().y
        opening = Message()
        opening.add_byte(c_MSG_KEXDH_INIT)
        opening.add_mpint(self.e)
        self.transport._send_message(opening)
        self.transport._expect_packet(_MSG_KEXDH_REPLY)

    def _parse_kexdh_reply(self, reply: Any) -> None:
        host_key = reply.get_string()
        self.f = reply.get_mpint()
        signature = reply.get_binary()
        shared = self._shared_secret()
        hashed = Message()
        transport = self.transport
        hashed.add(
            transport.local_version, transport.remote_version, transport.local_kex_init, transport.remote_kex_init
        )
        hashed.add_string(host_key)
        for number in (self.e, self.f, shared):
            hashed.add_mpint(number)
        transport._set_K_H(shared, self.hash_algo(hashed.asbytes()).digest())
        transport._verify_key(host_key, signature)
        transport._activate_outbound()

    def _shared_secret(self) -> int:
        # RFC 4253 forbids 0 and p-1 upwards; 1 and p-1 would make the secret known to everybody.
        if not 1 < self.f < self.P - 1:
            raise SSHException('Server kex "f" is out of range')
        numbers = dh.DHPublicNumbers(self.f, dh.DHParameterNumbers(self.P, self.G))
        try:
            return int.from_bytes(self._private.exchange(numbers.public_key()), "big")
        except ValueError as exc:
            raise SSHException('Server kex "f" cannot be used') from exc


class Group14(_ByOpenSSL, KexGroup14):
    """2048 bits, SHA-1: legacy."""


class Group14SHA256(_ByOpenSSL, KexGroup14SHA256):
    """2048 bits, SHA-256."""


class Group16SHA512(_ByOpenSSL, KexGroup16SHA512):
    """4096 bits, SHA-512."""


ENGINES = {engine.name: engine for engine in (Group14, Group14SHA256, Group16SHA512)}
