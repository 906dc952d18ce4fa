"""From a device's row to what the collector needs, secrets opened: only ever in the memory of a worker; and back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError

from backups.capture import Capture, without_secrets
from backups.conf import address_rule
from backups.errors import (
    CollectError,
    CredentialUnreachable,
    HostKeyChanged,
    JumpHostRefused,
    NoCredential,
    UnknownPlatform,
)
from backups.transport import JUDGED_ON, Target
from inventory import errors
from inventory.jump_hosts import JumpHost
from inventory.models import Credential, Device, Tenant
from inventory.pinned import Pinned
from inventory.platforms import registry
from inventory.platforms.sheet import Platform
from inventory.sources import secrets_of


class Targets:
    """The ways into one tenant's devices. Fallbacks and jump hosts are asked for once."""

    def __init__(self, tenant_id: UUID) -> None:
        """For as long as what is registered may be taken for unchanged: one share of a run."""
        named = Credential.objects.filter(tenant=tenant_id).exclude(fallback_order=None)
        self._fallbacks = list(named.order_by("fallback_order", "name"))
        self._hops: dict[UUID, tuple[Target, ...]] = {}
        # One credential serves many devices; what does not open for one does not for the next, nor is waited for again.
        self._opened: dict[tuple[UUID, datetime], dict[str, Any] | CollectError] = {}

    def of(self, device: Device) -> list[tuple[Credential, Target]]:
        """One for each credential, in the order in which they are tried.

        Raises NoCredential, CredentialUnreachable, and HostKeyChanged or JumpHostRefused while another host key waits
        to be judged.
        """
        if device.presented_key:
            raise HostKeyChanged(f"{waits_to_be_judged(device)} {JUDGED_ON}")
        credentials = in_order(device, self._fallbacks)
        if not credentials:
            raise NoCredential(f"Device {device.name} has no credential; give it one.")
        hops = self.hops_of(device)
        return [(one, way_in(device, one, hops=hops, opened=self._open(one))) for one in credentials]

    def _open(self, credential: Credential) -> dict[str, Any]:
        key = credential.pk, credential.changed_at
        if key not in self._opened:
            try:
                self._opened[key] = opened_by(credential)
            except (NoCredential, CredentialUnreachable) as refusal:
                self._opened[key] = refusal
        found = self._opened[key]
        if isinstance(found, CollectError):
            raise found
        return found

    def hops_of(self, device: Device) -> tuple[Target, ...]:
        """The jump hosts on the way. Raises NoCredential, JumpHostRefused."""
        if device.jump_host_id is None or device.jump_host is None:
            return ()
        if device.jump_host_id not in self._hops:
            self._hops[device.jump_host_id] = tuple(hop_of(row) for row in way_to(device.jump_host))
        return self._hops[device.jump_host_id]


def way_to(jump_host: JumpHost) -> list[JumpHost]:
    """The jump hosts up to this one. Raises JumpHostRefused where the way runs in a circle."""
    try:
        return jump_host.hops()
    except ValidationError as exc:
        raise JumpHostRefused(f"{exc.messages[0]} Correct it on its page.") from exc


def in_order(device: Device, fallbacks: Iterable[Credential]) -> list[Credential]:
    """The device's own credential, then the fallbacks of its site, then those of its tenant; first what worked last."""
    theirs = [one for one in fallbacks if one.fallback_site and one.fallback_site == device.site]
    everybodys = [one for one in fallbacks if not one.fallback_site]
    own = [device.credential] if device.credential else []
    each_once = list({one.pk: one for one in (*own, *theirs, *everybodys)}.values())
    return sorted(each_once, key=lambda one: one.pk != device.working_credential_id)


def waits_to_be_judged(row: Pinned) -> str:
    """Why nothing logs in to it."""
    return (
        f"{row} showed the host key {row.presented_fingerprint()} instead of the pinned "
        f"{row.host_key_fingerprint()}, and nothing logs in until somebody has judged it."
    )


def hop_of(row: JumpHost) -> Target:
    """A jump host as a target. Raises NoCredential, JumpHostRefused while another host key waits to be judged."""
    if row.presented_key:
        raise JumpHostRefused(f"Jump host {waits_to_be_judged(row)} {JUDGED_ON}")
    return way_in(row, row.credential)


def opened_by(credential: Credential) -> dict[str, Any]:
    """What a target gets from its credential, in clear. Raises NoCredential, CredentialUnreachable."""
    try:
        found = secrets_of(credential)
    except errors.SourceUnreachable as exc:
        raise CredentialUnreachable(f"Credential {credential.name}: {exc}") from exc
    except (errors.SecretUnreadable, errors.SourceRefused) as exc:
        raise NoCredential(f"Credential {credential.name}: {exc}") from exc
    enable = found.pop("enable")
    return {"username": credential.username, "credential": str(credential.pk), "enable_secret": enable, **found}


def way_in(
    row: Device | JumpHost,
    credential: Credential,
    *,
    hops: tuple[Target, ...] = (),
    opened: dict[str, Any] | None = None,
) -> Target:
    """How to reach and log in to it with this credential. Raises NoCredential."""
    target = Target(
        name=row.name,
        address=row.address,
        port=row.port,
        host_key=row.host_key,
        legacy_algorithms=isinstance(row, Device) and row.legacy_algorithms,
        telnet=isinstance(row, Device) and row.transport == Device.Transport.TELNET,
        hops=hops,
        key=str(row.pk),
        rule=address_rule(),
        **(opened or opened_by(credential)),
    )
    if not target.password and not target.private_key:
        raise NoCredential(f"Credential {credential.name} of {row.name} has neither password nor key.")
    return target


def target_of(device: Device) -> Target:
    """The way into one device with the credential that worked last, else the first one.

    Raises NoCredential, and HostKeyChanged or JumpHostRefused while another host key waits to be judged.
    """
    (_, target), *_others = Targets(device.tenant_id).of(device)
    return target


def platform_of(device: Device) -> Platform:
    """The sheet of the device's platform. Raises UnknownPlatform."""
    try:
        return registry.platform(device.platform)
    except errors.UnknownPlatform as exc:
        raise UnknownPlatform(f"Device {device.name}: {exc}") from exc


def as_stored(device: Device, capture: Capture) -> Capture:
    """A capture as its tenant wants it stored: with its secrets, or without. Raises UnknownPlatform."""
    if device.tenant.secrets_policy == Tenant.Secrets.KEEP:
        return capture
    return without_secrets(platform_of(device), capture)


def pin_host_key(device: Device, host_key: str) -> None:
    """Trust on first use: the key that a device shows first is the one it has to show from now on."""
    device.pin(host_key)
