"""Rows for tests: each function makes one, sensible in everything that the test does not name."""

from __future__ import annotations

from typing import Any

from inventory.models import Credential, Device, Tenant


def make_tenant(name: str = "acme", **fields: Any) -> Tenant:
    """A tenant without anything."""
    return Tenant.objects.create(name=name, **fields)


def make_credential(tenant: Tenant, name: str = "lab", **fields: Any) -> Credential:
    """A credential without secrets; seal one with `inventory.secrets` where the test logs in."""
    return Credential.objects.create(tenant=tenant, name=name, **{"username": "netcairn", **fields})


def make_device(tenant: Tenant, name: str = "edge1", platform: str = "cisco_ios", **fields: Any) -> Device:
    """A device at a documentation address (RFC 5737), without a credential."""
    return Device.objects.create(tenant=tenant, name=name, platform=platform, **{"address": "192.0.2.1", **fields})
