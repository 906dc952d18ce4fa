"""From rows to ways into devices: credentials in order, jump hosts, and addresses that no device has."""

from __future__ import annotations

import socket
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from backups import runs, ssh_link
from backups.addresses import AddressRule
from backups.conf import address_rule, database_addresses, database_place
from backups.errors import AddressRefused, JumpHostRefused
from backups.models import Attempt
from backups.ssh_jump import reach
from backups.targets import Targets, target_of
from backups.transport import Target
from inventory.jump_hosts import JumpHost
from inventory.models import Credential, Tenant
from inventory.services import import_devices
from tests.factories import make_credential, make_device, make_tenant

OURS = AddressRule(local=False, never=frozenset({("192.0.2.5", 5432)}))


def credential(tenant: Tenant, name: str, **fields: object) -> Credential:
    """One that can log in."""
    row = make_credential(tenant, name, **fields)
    row.set_password(f"password of {name}")
    row.save()
    return row


@pytest.mark.django_db
def test_credentials_come_in_order(store_root: object) -> None:
    """The device's own, its site's, its tenant's; and first what worked last."""
    tenant = make_tenant()
    own = credential(tenant, "own")
    everywhere = credential(tenant, "everywhere", fallback_order=1)
    credential(tenant, "second-here", fallback_order=3, fallback_site="zrh")
    credential(tenant, "first-here", fallback_order=2, fallback_site="zrh")
    credential(tenant, "elsewhere", fallback_order=1, fallback_site="gva")
    credential(tenant, "not-a-fallback")
    credential(make_tenant("globex"), "foreign", fallback_order=0)
    device = make_device(tenant, credential=own, site="zrh")

    assert [one.name for one, _ in Targets(tenant.pk).of(device)] == ["own", "first-here", "second-here", "everywhere"]
    device.working_credential = everywhere
    assert target_of(device).password == "password of everywhere"


@pytest.mark.django_db
def test_the_way_to_a_device_has_its_hops_in_order(store_root: object) -> None:
    """The nearest comes first; and where one is in doubt, nothing goes through it."""
    tenant = make_tenant()
    login = credential(tenant, "bastions")
    outer = JumpHost.objects.create(tenant=tenant, name="outer", address="192.0.2.8", credential=login)
    inner = JumpHost.objects.create(tenant=tenant, name="inner", address="10.0.0.1", credential=login, through=outer)
    device = make_device(tenant, credential=login, jump_host=inner)

    assert [hop.name for hop in target_of(device).hops] == ["outer", "inner"]

    outer.suspect("ssh-ed25519 AAAA", timezone.now())
    device.refresh_from_db()
    with pytest.raises(JumpHostRefused, match="outer showed"):
        target_of(device)
    outer.through = inner
    with pytest.raises(ValidationError, match="circle"):
        outer.full_clean()


@pytest.mark.django_db
def test_a_file_names_the_jump_host() -> None:
    """A site behind a jump host is imported like any other."""
    tenant = make_tenant()
    bastion = {"address": "192.0.2.8", "credential": make_credential(tenant)}
    JumpHost.objects.create(tenant=tenant, name="bastion", **bastion)
    head = "name,address,port,platform,credential,jump_host\n"

    import_devices(tenant, f"{head}edge1,10.0.0.5,22,cisco_ios,lab,bastion\n".encode())

    assert tenant.devices.get().jump_host.name == "bastion"


@pytest.mark.django_db
def test_the_database_itself_refuses_a_foreign_jump_host() -> None:
    """The last net: through somebody else's jump host, with their credential."""
    acme, globex = make_tenant(), make_tenant("globex")
    theirs = JumpHost.objects.create(
        tenant=globex, name="bastion", address="192.0.2.8", credential=make_credential(globex)
    )
    device = make_device(acme)
    with pytest.raises(IntegrityError, match="same_tenant"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE inventory_device SET jump_host_id = %s WHERE id = %s", [theirs.pk, device.pk])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.django_db
def test_a_jump_host_has_its_limit(store_root: object) -> None:
    """A small box at the edge must not carry a worker's hundred sessions."""
    tenant = make_tenant()
    bastion = JumpHost.objects.create(
        tenant=tenant, name="bastion", address="192.0.2.8", credential=make_credential(tenant), max_sessions=2
    )
    devices = [make_device(tenant, f"behind{n}", jump_host=bastion) for n in range(4)] + [make_device(tenant, "near")]
    (run,) = runs.start_runs(devices, requested_by="ada", trigger="hand", by_queue=True, now=timezone.now())

    claimed = [run.attempts.claim(token=uuid4(), limit=10, now=timezone.now()) for _ in range(2)]

    assert [sorted(one.device.name for one in group) for group in claimed] == [["behind0", "behind1", "near"], []]
    Attempt.objects.filter(device__name="behind0").update(state="changed")
    (more,) = run.attempts.claim(token=uuid4(), limit=10, now=timezone.now())
    assert more.device.name == "behind2"


# Addresses


@pytest.mark.parametrize(
    ("address", "port", "said"),
    [
        ("127.0.0.1", 22, "this machine"),
        ("127.8.8.8", 22, "this machine"),
        ("::1", 22, "this machine"),
        ("::ffff:127.0.0.1", 22, "this machine"),
        ("localhost", 22, "this machine"),
        ("169.254.169.254", 80, "link-local"),
        ("fe80::1%eth0", 22, "link-local"),
        ("224.0.0.5", 22, "multicast"),
        ("ff02::1", 22, "multicast"),
        ("0.0.0.0", 22, "no address"),  # noqa: S104
        ("255.255.255.255", 22, "no address"),
        ("192.0.2.5", 5432, "database"),
        ("192.0.2.5", 22, ""),
        ("10.0.0.1", 22, ""),
        ("2001:db8::1", 22, ""),
        ("edge1.example.net", 22, ""),
    ],
)
def test_an_address_that_no_device_has_is_refused(address: str, port: int, said: str) -> None:
    """Else a tenant reads a cloud's metadata, or our own services, by calling them a device."""
    problem = OURS.problem(address, port)
    assert said in problem
    assert bool(problem) is bool(said)


def test_the_address_that_was_checked_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that means another address a moment later must not get past the check."""
    asked = []

    def resolve(*about: object, **_: object) -> list[tuple[object, ...]]:
        asked.append(about)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 22))]

    monkeypatch.setattr(ssh_link.socket, "getaddrinfo", resolve)
    with pytest.raises(AddressRefused, match="this machine"):
        reach(Target("edge1", "edge1.example.net", 22, "a", rule=OURS), until=ssh_link.monotonic() + 5)
    assert len(asked) == 1


def test_a_jump_host_is_no_way_around() -> None:
    """Its own loopback is somebody's as well."""
    hop = Target("bastion", "192.0.2.8", 22, "a")
    with pytest.raises(AddressRefused):
        reach(Target("edge1", "127.0.0.1", 22, "a", rule=OURS, hops=(hop,)), until=ssh_link.monotonic() + 5)


def test_the_rule_follows_the_settings(settings: LazySettings) -> None:
    """Loopback is for simulators on one's own machine; the database is never a device."""
    settings.NETCAIRN_ALLOW_LOCAL = False

    assert address_rule().problem("127.0.0.1", 22)
    assert database_addresses(*database_place({"default": {"HOST": "127.0.0.1", "PORT": "6543"}})) == {
        ("127.0.0.1", 6543)
    }
    assert database_addresses(*database_place({"default": {"HOST": "/run/postgresql"}})) == frozenset()
