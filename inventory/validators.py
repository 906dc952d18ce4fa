"""What a name and an address may look like, for forms, imports and commands alike."""

from __future__ import annotations

import ipaddress
import re
import unicodedata

from django.core.exceptions import ValidationError

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\Z")
TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/=+-]*\Z")
LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)\Z")


def validate_name(text: str) -> None:
    """A name: letters, digits, `.`, `_`, `-`, beginning and ending with a letter or digit, without `..`.

    It becomes a file name in clones, so nothing that git or a shell reads otherwise gets through.
    """
    if not NAME.match(text) or ".." in text or text.lower().endswith((".git", ".lock")):
        raise ValidationError(
            f"{text!r} is not a usable name: letters, digits, '.', '_' and '-', with a letter or digit at both ends."
        )


def validate_address(text: str) -> None:
    """An IPv4 or IPv6 address or a host name (RFC 1123); no port, no user, no scheme."""
    if is_ip_address(text):
        return
    labels = text.removesuffix(".").split(".")
    if len(text) > 253 or not all(LABEL.match(label) for label in labels) or labels[-1].isdigit():
        raise ValidationError(f"{text!r} is neither an IP address nor a host name.")


def validate_line(text: str) -> None:
    """One line of text: no line ends, no control characters, none that turn the direction of writing."""
    if any(unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") for character in text):
        raise ValidationError(f"{text!r} holds characters that cannot be seen; write it in one plain line.")


def validate_tag(text: str) -> None:
    """A tag: letters, digits and `._:/=+-`, without blanks, because lists of tags are separated by blanks."""
    if not TAG.match(text):
        raise ValidationError(f"{text!r} is not a usable tag: letters, digits and '._:/=+-', without blanks.")


def is_ip_address(text: str) -> bool:
    """Whether the text is an IPv4 or IPv6 address as such."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
