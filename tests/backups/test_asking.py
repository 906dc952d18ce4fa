"""What a thread makes of what a device has said, before anybody writes it down."""

from __future__ import annotations

from dataclasses import replace
from zlib import decompress

import pytest

from backups.asking import made_ready
from backups.capture import Capture, Doubt
from backups.collect import Collected
from backups.store.packing import heading, packed
from inventory.models import Device, Tenant

SAID = b"hostname edge1\nusername ada secret 9 canary\nend\n"
SEEN = Collected(Capture({"running.cfg": SAID}, "new", ()), "ssh-ed25519 AAAA", 0.1)


def device_of(policy: str = Tenant.Secrets.KEEP) -> Device:
    return Device(tenant=Tenant(name="acme", secrets_policy=policy), name="edge1", platform="cisco_ios")


def test_what_is_new_is_packed_by_the_thread_that_brought_it() -> None:
    """Who compresses 4 MB with the tenant's lock in hand holds up everybody else."""
    ready = made_ready(lambda: SEEN, device_of(), "old")

    assert ready.packed == {"running.cfg": packed("blob", SAID)}
    assert not ready.capture.files


@pytest.mark.parametrize("doubts", [(), (Doubt("no-end-marker", ""),)])
def test_nothing_is_packed_that_will_not_be_kept(doubts: tuple[Doubt, ...]) -> None:
    """Nearly all that a night's run brings is what was there before."""
    seen = replace(SEEN, capture=replace(SEEN.capture, doubts=doubts))

    assert not made_ready(lambda: seen, device_of(), "old" if doubts else "new").packed


def test_a_tenant_without_secrets_has_none_packed() -> None:
    """What is packed is what is written."""
    ready = made_ready(lambda: SEEN, device_of(Tenant.Secrets.MASK), "old")

    made = ready.packed["running.cfg"]
    assert b"canary" not in decompress(made.data.removeprefix(heading("blob", made.size)))
