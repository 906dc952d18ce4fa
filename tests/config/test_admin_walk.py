"""Every address of the admin, walked by every kind of person: looking changes nothing, and others do not exist.

The addresses are taken from the site itself, so a page that is added later is walked without a line here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import models
from django.test import Client
from django.urls import URLPattern, URLResolver

from backups.epochs import Epoch
from backups.hosts.models import Host, SiteQueue
from backups.mirrors.models import Mirror
from backups.models import Attempt, QuarantinedFile, Run, Schedule, Transcript
from backups.processing_models import PostProcessing
from checkpoints.models import Checkpoint, Ref, Restore
from checkpoints.restore_group_models import RestoreGroup
from checkpoints.retention_models import Purge, RetentionPolicy
from checkpoints.services import create_checkpoint
from inventory.audit import AuditEntry, record
from inventory.jump_hosts import JumpHost
from inventory.lockouts import Lockout
from inventory.models import Device, Tenant
from inventory.notices import Level, tell
from tests.checkpoints.conftest import NOON, back_up, later
from tests.checkpoints.remembered import remembered
from tests.factories import make_credential, make_device, make_tenant
from tests.inventory.kit import Role, logged_in, make_user
from tests.sampling import sampled

OURS = ("inventory", "backups", "checkpoints")
OBJECT = re.compile(r"<(?:path|uuid|str):(?:object_id|tenant_id)>|<id>")
PARTS = 4  # that the pages are walked in: all of them took twelve seconds
SECRET = "s3cr3tcommunity"  # a word of a configuration that no page of others may show


@dataclass(frozen=True)
class World:
    """Two tenants with one row of every kind each."""

    mine: dict[type[models.Model], models.Model]
    theirs: dict[type[models.Model], models.Model]


def settle(name: str) -> dict[type[models.Model], models.Model]:
    """A tenant with one row of every kind that has a page."""
    tenant = make_tenant(name, pk=uuid5(NAMESPACE_OID, name))
    remembered(tenant, f"settled {name}", lambda: make_history(tenant))
    device = Device.objects.get(tenant=tenant)
    second = Checkpoint.objects.get(tenant=tenant, message=f"{name} after")
    run = Run.objects.create(tenant=tenant, requested_by="anna", state="done")
    attempt = Attempt.objects.create(tenant=tenant, run=run, device=device, state="quarantined", ended_at=NOON)
    file = QuarantinedFile.objects.create(tenant=tenant, attempt=attempt, name="running.cfg", content=SECRET.encode())
    transcript = Transcript.objects.create(tenant=tenant, attempt=attempt, text=f"ssh to {name}")
    schedule = Schedule.objects.create(tenant=tenant, name=f"{name}-nightly", cron="0 2 * * *")
    restore = make_restore(device, second)
    credential = make_credential(tenant)
    bastion = {"name": f"{name}-bastion", "address": "192.0.2.9", "credential": credential}
    record(tenant, by="anna", action="version.seen", about=f"{name}-box")
    rows = [
        AuditEntry.objects.get(tenant=tenant, action="version.seen"),
        tell(tenant, code="test", about=f"{name}-box", text=f"{name} burns", level=Level.ALARM),
        tenant,
        credential,
        JumpHost.objects.create(tenant=tenant, **bastion),
        Mirror.objects.create(tenant=tenant, name=f"{name}-copy", url=f"ssh://192.0.2.9/{name}", credential=credential),
        device,
        run,
        file,
        transcript,
        second,
        Ref.objects.get(tenant=tenant),
        schedule,
        restore,
        RetentionPolicy.objects.create(tenant=tenant),
        Purge.objects.create(tenant=tenant, at=NOON, by="anna", reason=f"{name} leaked", files=1, versions=1),
        PostProcessing.objects.create(tenant=tenant, platform="cisco_ios", steps=f"strip {name}"),
        RestoreGroup.objects.create(tenant=tenant, checkpoint=second, requested_by="anna"),
        Epoch.objects.create(
            tenant=tenant, number=1, first_seq=1, last_seq=1, tip="0" * 40, began_at=NOON, ended_at=NOON
        ),
    ]
    # What belongs to no tenant is superusers' business, and no less a thing that others must not see.
    rows += [make_user(f"{name}-person", (tenant, Role.AUDITOR)), Lockout.objects.create(kind="account", name=name)]
    rows += [Host.objects.create(name=f"{name}-host"), SiteQueue.objects.create(tenant=tenant, site="far", queue=name)]
    return {type(row): row for row in [*rows, device.snapshots.first()] if row is not None}


def make_history(tenant: Tenant) -> None:
    """A device with two versions, each named by a checkpoint."""
    device = make_device(tenant, f"{tenant}-box")
    back_up(device, running_cfg=f"hostname {tenant}\nsnmp-server community {SECRET} RO\n")
    create_checkpoint(tenant, message=f"{tenant} before", author="anna", now=NOON)
    back_up(device, later(1), running_cfg=f"hostname {tenant}\nsnmp-server community {SECRET}2 RO\n")
    create_checkpoint(tenant, message=f"{tenant} after", author="anna", now=later(1))


def make_restore(device: Device, checkpoint: Checkpoint) -> Restore:
    """A plan that puts the device's first version back."""
    first, before = device.snapshots.order_by("seq")
    told = {"running": "running.cfg", "commands": [f"say {device}"], "warnings": ["look"], "obstacles": []}
    target = {"checkpoint": checkpoint, "target": first.files, "before": before}
    return Restore.objects.create(
        tenant=device.tenant, device=device, state="planned", requested_by="anna", plan=told, fingerprint="f", **target
    )


@pytest.fixture
def world(db: None, settings: LazySettings, tmp_path: Path) -> World:
    """Mine and theirs, in a store of the test's own."""
    settings.NETCAIRN_STORE_ROOT = tmp_path / "store"
    return World(settle("mine"), settle("theirs"))


@pytest.fixture(params=sampled(range(PARTS), (0,)))
def part(request: pytest.FixtureRequest) -> slice:
    """Every so-manyth page: one part in the suite, the others in the run of the long ones."""
    return slice(request.param, None, PARTS)


def patterns(entries: list[Any], before: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address of the site with its full pattern."""
    for entry in entries:
        path = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry.url_patterns, path)
        else:
            yield path, entry


def pages_of(model: type[models.Model]) -> list[str]:
    """The patterns of a model's own pages, below its list; without the jump to a row's page, which Django adds."""
    found = [path for path, _ in patterns(admin.site._registry[model].urls)]
    return [path for path in found if path != "<path:object_id>/"]


def address(row: models.Model, path: str) -> str:
    """A page of that row."""
    opts = row._meta
    path = path.replace("<uuid:tenant_id>", str(getattr(row, "tenant_id", "")))
    path = OBJECT.sub(str(row.pk), path).replace("<str:name>", "running.cfg")
    return f"/admin/{opts.app_label}/{opts.model_name}/{path}{asked(row, path)}"


def asked(row: models.Model, path: str) -> str:
    """What a page needs to be asked for."""
    return f"?right={row.pk}" if path.startswith("compare/") else ""


def addresses(rows: dict[type[models.Model], models.Model], *, of_rows: bool = False) -> list[str]:
    """Every page of these rows; with `of_rows` without those that are about no row."""
    return [
        address(row, path)
        for model, row in rows.items()
        for path in pages_of(model)
        if not of_rows or OBJECT.search(path) or asked(row, path)
    ]


def everything() -> dict[str, list[Any]]:
    """Every row of every table of ours; but the audit log, which is there to be told of looks at secrets."""
    ours = [model for app in OURS for model in apps.get_app_config(app).get_models() if model is not AuditEntry]
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in [*ours, LogEntry]}


def verbs() -> list[tuple[type[models.Model], str, str]]:
    """Every button of every row's page: model, path and permission."""
    return [
        (model, f"<path:object_id>/{verb.path}/", verb.method.permission)
        for model, page in admin.site._registry.items()
        for verb in [*page._get_base_actions_detail(), *page._get_base_actions_row()]  # type: ignore[attr-defined]
    ]


def root() -> Client:
    """Somebody who may do everything."""
    return logged_in(make_user("root", is_superuser=True))


def test_the_walk_comes_by_every_page_of_ours(world: World) -> None:
    """A kind of row that nobody has made here would be a page that nobody has tried."""
    registered = {model for model in admin.site._registry if model._meta.app_label in OURS}

    assert registered | {User} == set(world.mine)
    assert len(verbs()) >= 10


def test_looking_never_changes_a_row(world: World, part: slice) -> None:
    """A crawler, a prefetching browser, a curious auditor: a GET is only a look."""
    client, before = root(), everything()

    answers = {page: client.get(page).status_code for page in addresses(world.mine)[part]}

    assert not {page: status for page, status in answers.items() if status >= 500 or status == 404}
    assert everything() == before


def test_rows_of_others_do_not_exist(world: World) -> None:
    """404 or back to the start, exactly as for a row that never was; and not a word of them on the page."""
    client = logged_in(make_user("boss", (world.mine[Tenant], Role.ADMINISTRATOR)))

    wrong = []
    for page in addresses(world.theirs, of_rows=True):
        response = client.get(page)
        told = b"".join(response).decode("latin-1") if response.streaming else response.content.decode("latin-1")
        started_over = response.status_code == 302 and response["Location"] == "/admin/"
        if not (response.status_code in (403, 404) or started_over) or "theirs" in told or SECRET in told:
            wrong.append((page, response.status_code))

    assert wrong == []


def test_lists_hold_nothing_of_others(world: World, part: slice) -> None:
    """Neither rows, nor choices of filters, nor forms for new rows."""
    client = logged_in(make_user("boss", (world.mine[Tenant], Role.ADMINISTRATOR)))
    about_no_row = sorted(set(addresses(world.mine)) - set(addresses(world.mine, of_rows=True)))

    told = {page: client.get(page).content.decode() for page in about_no_row[part]}

    assert [page for page, text in told.items() if "theirs" in text] == []


def test_without_a_membership_nothing_opens(world: World, part: slice) -> None:
    """Whatever permissions were given in Django's own way: it fails closed."""
    granted = ("backups.view_snapshot", "inventory.view_device", "checkpoints.restore_record", "backups.back_up")
    client = logged_in(make_user("nobody", permissions=granted))

    answers = {page: client.get(page) for page in addresses(world.mine)[part]}

    opened = [
        page for page, answer in answers.items() if answer.status_code == 200 and "mine" in answer.content.decode()
    ]
    assert opened == []


def test_every_verb_has_a_permission_that_is_held(world: World) -> None:
    """A button is a link: who is refused it by the page must be refused it by the address, too."""
    client = logged_in(make_user("audra", (world.mine[Tenant], Role.AUDITOR)))
    before = everything()

    answers = {}
    for model, path, permission in verbs():
        page = address(world.mine[model], path)
        answers[page] = {client.get(page).status_code, client.post(page, {"confirmed": "yes"}).status_code}
        assert permission, f"{page} has no permission"

    assert answers == {page: {403} for page in answers}
    assert everything() == before


def test_no_verb_is_carried_out_unasked(world: World, part: slice) -> None:
    """A POST without the plan's fingerprint shows the plan: nobody has agreed to it yet."""
    client, before = root(), everything()

    for model, path, _ in verbs()[part]:
        client.post(address(world.mine[model], path), {"confirmed": "yes", "fingerprint": "guessed"})

    assert everything() == before


def test_who_is_not_logged_in_is_sent_to_log_in(world: World) -> None:
    """Every single page."""
    client = Client()

    answers = {page: client.get(page) for page in addresses(world.mine)}

    assert {
        page for page, answer in answers.items() if not answer.headers.get("Location", "").startswith("/admin/login/")
    } == set()
