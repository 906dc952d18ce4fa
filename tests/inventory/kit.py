"""People, keys and pages for the tests of the inventory."""

from __future__ import annotations

import base64
import os
import re
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from django.contrib.auth.models import Permission, User
from django.test import Client

from inventory.models import Membership, Tenant

Role = Membership.Role


def make_user(name: str, *memberships: tuple[Tenant, str], permissions: tuple[str, ...] = (), **fields: Any) -> User:
    """A person who may log in to the admin, with places in tenants and permissions of Django's own (`app.codename`)."""
    user = User.objects.create_user(name, password="a long enough password", is_staff=True, **fields)
    for tenant, role in memberships:
        Membership.objects.create(tenant=tenant, user=user, role=role)
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return User.objects.get(pk=user.pk)


def logged_in(user: User) -> Client:
    """A browser of that person."""
    client = Client()
    client.force_login(user)
    return client


def page(response: Any) -> str:
    """The text of a page, which must have come."""
    assert response.status_code == 200, (response.status_code, getattr(response, "url", ""))
    return response.content.decode()


def new_key() -> str:
    """A key for NETCAIRN_SECRETS_KEYS."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def ssh_key(passphrase: str = "") -> str:
    """A private key as ssh-keygen writes it."""
    lock = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, lock).decode()


def uncoloured(text: str) -> str:
    """A page without the tags that colour a configuration: the lines as a person reads them."""
    return re.sub(r"</?(?:b|i|em|var|samp|mark)>", "", text)
