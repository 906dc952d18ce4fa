"""What somebody means by a few characters."""

from __future__ import annotations

from uuid import UUID

import pytest

from checkpoints.errors import AmbiguousVersion, NotComparable, UnknownVersion
from checkpoints.find import find_checkpoint, find_two, find_version
from checkpoints.models import HEAD, Checkpoint
from checkpoints.refs import head_of, set_ref
from inventory.models import Device, Tenant
from tests.checkpoints.conftest import NOON, back_up
from tests.checkpoints.test_lineage import row
from tests.factories import make_device, make_tenant


def with_id(tenant: Tenant, digits: str) -> Checkpoint:
    """A checkpoint whose id begins so."""
    made = row(tenant, head_of(tenant.pk))
    Checkpoint.objects.filter(pk=made.pk).update(first_parent=None, parent=None)
    return Checkpoint(pk=UUID(digits.ljust(32, "0")), **{**values(made), "tenant": tenant})


def values(checkpoint: Checkpoint) -> dict[str, object]:
    """What another row needs to be like this one."""
    names = ("author", "message", "seq", "commit", "pin", "device_count", "file_count", "total_bytes")
    return {name: getattr(checkpoint, name) for name in names}


@pytest.fixture
def two(tenant: Tenant) -> list[Checkpoint]:
    """Two checkpoints whose ids begin alike."""
    made = [with_id(tenant, digits) for digits in ("1f3a09c2d", "1f3a09c2e")]
    return Checkpoint.objects.bulk_create(made)


def test_a_checkpoint_is_found_by_its_id_or_enough_of_it(tenant: Tenant, two: list[Checkpoint]) -> None:
    """Nobody types 36 characters."""
    for text in (str(two[0].pk), two[0].pk.hex, "1f3a09c2d", "1F3A09C2-D000", two[0].short_id):
        assert find_checkpoint(text) == two[0]


def test_an_id_that_several_begin_with_is_refused(tenant: Tenant, two: list[Checkpoint]) -> None:
    """Going back to the wrong one of two is worse than typing one digit more."""
    with pytest.raises(AmbiguousVersion, match="1f3a09c2d000"):
        find_checkpoint("1f3a09c2")


@pytest.mark.parametrize("text", ["1f3a09c", "nothing", "", "1f3a09c2z", "%", "1f3a09c2d" + "0" * 30])
def test_what_nothing_is_called_is_refused(tenant: Tenant, two: list[Checkpoint], text: str) -> None:
    """Capability D6: with a sentence, not with None."""
    with pytest.raises(UnknownVersion):
        find_version(text)


def test_a_checkpoint_is_found_by_a_ref(tenant: Tenant, two: list[Checkpoint]) -> None:
    """Capability D13: what names are for."""
    set_ref(tenant, "golden", two[0], by="anna", now=NOON)

    assert (find_version("golden"), find_checkpoint("golden")) == (two[0], two[0])


def test_snapshots_and_devices_are_found(edge: Device) -> None:
    """`diff` takes them all."""
    snapshot = edge.snapshots.get()

    assert (find_version(str(snapshot.pk)), find_version(snapshot.pk.hex[:10])) == (snapshot, snapshot)
    assert find_version("edge1") == edge


def test_a_name_of_a_ref_and_a_device_is_refused(edge: Device, tenant: Tenant) -> None:
    """Neither is more likely to be meant."""
    set_ref(tenant, "edge1", row(tenant, None), by="anna", now=NOON)

    with pytest.raises(AmbiguousVersion, match="device edge1"):
        find_version("edge1")


def test_a_name_that_two_tenants_have_is_settled_by_the_tenant(tenant: Tenant, edge: Device) -> None:
    """Every tenant has a HEAD, and many have an edge1."""
    other = make_tenant("other")
    mine, theirs = row(tenant, None), row(other, None)

    with pytest.raises(AmbiguousVersion, match="--tenant"):
        find_checkpoint(HEAD)
    assert (find_checkpoint(HEAD, tenant), find_checkpoint(HEAD, other)) == (mine, theirs)


def test_one_version_settles_the_tenant_of_the_other(tenant: Tenant, edge: Device) -> None:
    """`diff HEAD edge7` needs no --tenant when only one tenant has an edge7."""
    other = make_tenant("other")
    head, _ = row(tenant, None), row(other, None)

    assert find_two(HEAD, "edge1") == (head, edge)


def test_two_versions_of_different_tenants_are_refused(tenant: Tenant, edge: Device) -> None:
    """Even where the caller may see both."""
    back_up(make_device(make_tenant("other"), "core9"), running_cfg="x\n")

    with pytest.raises(NotComparable):
        find_two("edge1", "core9")
