"""From a device's row to what the collector needs, secrets opened: only ever in the memory of a worker; and back."""

from __future__ import annotations

from backups.capture import Capture, without_secrets
from backups.errors import HostKeyChanged, NoCredential, UnknownPlatform
from backups.transport import JUDGED_ON, Target
from inventory import errors
from inventory.models import Device, Tenant
from inventory.platforms import registry
from inventory.platforms.sheet import Platform


def target_of(device: Device) -> Target:
    """How to reach and log in to the device. Raises NoCredential, and HostKeyChanged while another key waits."""
    if device.presented_key:
        raise HostKeyChanged(
            f"{device.name} showed the host key {device.presented_fingerprint()} instead of the pinned "
            f"{device.host_key_fingerprint()}, and nothing logs in until somebody has judged it. {JUDGED_ON}"
        )
    credential = device.credential
    if credential is None:
        raise NoCredential(f"Device {device.name} has no credential; give it one.")
    try:
        target = Target(
            name=device.name,
            address=device.address,
            port=device.port,
            username=credential.username,
            password=credential.password(),
            private_key=credential.private_key(),
            passphrase=credential.passphrase(),
            enable_secret=credential.enable_secret(),
            host_key=device.host_key,
            legacy_algorithms=device.legacy_algorithms,
        )
    except errors.SecretUnreadable as exc:
        raise NoCredential(str(exc)) from exc
    if not target.password and not target.private_key:
        raise NoCredential(f"Credential {credential.name} of device {device.name} has neither password nor key.")
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
