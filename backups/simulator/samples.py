"""Building blocks of generated configurations: names, secrets and addresses that look real and belong to nobody."""

from __future__ import annotations

import random
import string
from collections.abc import Callable

_NOUNS = (
    "access aisle atrium backup basement branch camera campus cellar closet core crane depot desk dock edge floor gate "
    "hall lab lobby meeting office phone printer rack reader roof server shelf store tower uplink vault wing workshop"
)
WORDS = tuple(_NOUNS.split())
ALPHABET = "./" + string.digits + string.ascii_letters


def words(rng: random.Random, count: int = 2) -> str:
    """A few words for a description."""
    return " ".join(rng.choice(WORDS) for _ in range(count))


def token(rng: random.Random, length: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    """Random characters, for a secret."""
    return "".join(rng.choices(alphabet, k=length))


def address(rng: random.Random) -> str:
    """An address of the private range 10.0.0.0/8."""
    bits = rng.getrandbits(24)
    return f"10.{bits >> 16}.{bits >> 8 & 255}.{bits % 254 + 1}"


def md5_crypt(rng: random.Random) -> str:
    """Looks like a salted MD5 hash of a password."""
    return f"$1${token(rng, 4, ALPHABET)}${token(rng, 22, ALPHABET)}"


def sha512_crypt(rng: random.Random) -> str:
    """Looks like a salted SHA-512 hash of a password."""
    return f"$6${token(rng, 16, ALPHABET)}${token(rng, 86, ALPHABET)}"


def scrypt(rng: random.Random) -> str:
    """Looks like a type 9 hash of IOS."""
    return f"$9${token(rng, 14, ALPHABET)}${token(rng, 43, ALPHABET)}"


def type7(rng: random.Random, length: int = 8) -> str:
    """Looks like a password hidden by IOS's type 7: a salt below 16, then hex."""
    return f"{rng.randrange(16):02d}{token(rng, 2 * length, '0123456789ABCDEF')}"


def fill(size: int, make: Callable[[int], str]) -> str:
    """Pieces number 0, 1, 2, … until they are `size` bytes long together; at least one."""
    pieces: list[str] = []
    length = 0
    while length < size or not pieces:
        piece = make(len(pieces))
        pieces.append(piece)
        length += len(piece)
    return "".join(pieces)
