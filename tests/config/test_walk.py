"""Every address that the resolver knows, with rows of others, by every role; and a build that leaks is found out."""

# ruff: noqa: T201 - the full walk prints what it has come by

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import LazySettings
from django.contrib import admin
from django.contrib.auth.models import User
from django.forms import ModelChoiceField
from django.test import Client
from unfold.admin import ModelAdmin

from backups.hosts.models import Host, SiteQueue
from inventory.audit import AuditEntry
from inventory.lockouts import Lockout
from inventory.models import Credential, Tenant
from tests.config import walk as walking
from tests.config.test_admin_walk import OURS, SECRET, World, settle
from tests.config.walk import Rows, Walk, routes, walk
from tests.inventory.kit import Role, logged_in, make_user

FULL = bool(os.environ.get(walking.FULL))
ONLY = os.environ.get("NETCAIRN_WALK_ONLY", "")  # a word in the routes
# In the suite each role walks one route of so many, each role another share.
SHARE = int(os.environ.get("NETCAIRN_WALK_SHARE", "1" if FULL else "60"))


@pytest.fixture
def world(db: None, settings: LazySettings, tmp_path: Path) -> World:
    """Mine and theirs, in a store of the test's own."""
    settings.NETCAIRN_STORE_ROOT = tmp_path / "store"
    settings.LOGGING_CONFIG = None
    return World(settle("mine"), settle("theirs"))


def people(world: World) -> dict[str, Client]:
    """A browser for each role; those without a tenant hold permissions of Django's own, which must not help."""
    tenant = world.mine[Tenant]
    granted = ("backups.view_snapshot", "inventory.change_device", "checkpoints.restore_record", "backups.view_secrets")
    found = {role.value: logged_in(make_user(f"a-{role.value}", (tenant, role))) for role in Role}  # type: ignore[arg-type]
    found["staff without a tenant"] = logged_in(make_user("a-nobody", permissions=granted))
    for client in found.values():  # what concerns the login itself opens only to who has just said the password again
        client.post("/admin/login/again/", {"password": "a long enough password"})
    found["anonymous"] = Client()
    return found


def their_rows(world: World) -> Rows:
    """With a security key of one of their people, which has pages as well."""
    key = {"user": world.theirs[User], "type": "webauthn", "data": {"name": "theirs-key", "credential": {}}}
    return {**world.theirs, Authenticator: Authenticator.objects.create(**key)}  # type: ignore[dict-item]


def share_of(at: int) -> list[str]:
    """The routes that the role at this place walks."""
    return sorted(route for route in set(routes()) if ONLY in route)[at % SHARE :: SHARE]


def test_nothing_leaks_and_nothing_changes(world: World, capsys: Any) -> None:
    """One customer learns nothing of another, by no address, method, action or field."""
    theirs, walked, their_trail = their_rows(world), Walk(), AuditEntry.objects.filter(tenant=world.theirs[Tenant])
    before = their_trail.count()

    for at, (role, client) in enumerate(people(world).items()):
        outside = role in ("anonymous", "staff without a tenant")
        marks = ("theirs", SECRET, "mine-box") if outside else ("theirs",)
        walk(walked, role, client, theirs=theirs, marks=marks, share=share_of(at))
        say(capsys, f"{role}: {walked}")

    after = their_trail.count()
    look(walked, logged_in(make_user("root", is_superuser=True)), theirs)

    say(capsys, f"all: {walked}")
    assert walked.leaks == []
    assert (len(walked.roles), len(walked.routes) > 10 or bool(ONLY), walked.requests > 50) == (7, True, True)
    assert after == before


def test_one_does_not_reach_the_second_factor_of_another(world: World) -> None:
    """A key of somebody else is neither shown, renamed nor removed, by whoever guesses its number."""
    theirs, walked = their_rows(world), Walk()
    mine = [route for route in routes() if "second-factor" in route]

    walk(walked, "auditor", people(world)["auditor"], theirs=theirs, marks=("theirs",), share=mine)

    assert (walked.leaks, len(mine) > 8) == ([], True)


def say(capsys: Any, text: str) -> None:
    """What the full walk has come by so far."""
    if FULL:
        with capsys.disabled():
            print(f"\n{text}", flush=True)


def look(walked: Walk, client: Client, theirs: Rows) -> None:
    """A superuser may do everything, and changes nothing either by a GET or a HEAD."""
    before = walking.digest()
    walked.roles.add("superuser")
    for route in set(share_of(len(walked.roles))) - set(walking.ENDS_THE_SESSION):
        walked.routes.add(route)
        for address in walking.filled(route, theirs):
            for method in ("get", "head"):
                walking.ask(walked, "superuser", client, method=method, address=address, sent={}, marks=())
    walked.leaks += ["a superuser's look changed a row"] if walking.digest() != before else []


def forms_with_foreign_rows(client: Client, world: World) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each of one's own forms as it stands, with one field that names a row of the others: address, field, form."""
    for model, row in world.mine.items():
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/{row.pk}/change/"
        shown = client.get(address).context
        if shown is None or "adminform" not in shown:
            continue
        fields = shown["adminform"].form.fields
        own = {name: shown["adminform"].form[name].value() for name in fields}
        sent = {name: value for name, value in own.items() if value is not None and value is not False}
        for formset in shown["inline_admin_formsets"]:
            management = formset.formset.management_form
            sent |= {management.add_prefix(name): management.initial.get(name, 0) for name in management.fields}
        for name, one in fields.items():
            if isinstance(one, ModelChoiceField) and one.queryset.model in world.theirs:
                yield address, name, sent | {name: str(world.theirs[one.queryset.model].pk)}


def test_no_field_of_a_form_takes_a_row_of_others(world: World) -> None:
    """A select that does not offer it must not accept it either, nor say what it is called."""
    client = logged_in(make_user("boss", (world.mine[Tenant], Role.ADMINISTRATOR)))
    before, refused = walking.digest(), []

    for address, name, sent in forms_with_foreign_rows(client, world):
        answer = client.post(address, sent)
        assert name in answer.context["adminform"].form.errors, (address, name)
        assert "theirs" not in answer.content.decode()
        refused.append(name)

    assert {"credential", "jump_host"} <= set(refused)
    assert walking.digest() == before


SUPERUSERS = (Lockout, Host, SiteQueue)  # nobody else has the pages, so scoping is not what keeps them out
SCOPED = [model for model in admin.site._registry if model._meta.app_label in OURS and model not in SUPERUSERS]
BROKEN = SCOPED if FULL else [Credential]


@pytest.mark.parametrize("model", BROKEN, ids=lambda model: model.__name__)
def test_a_build_with_one_page_left_unscoped_is_found_out(world: World, model: Any, monkeypatch: Any) -> None:
    """A walk that finds nothing must be one that could have found something."""
    page, theirs, walked = admin.site._registry[model], world.theirs, Walk()
    scoped = type(page).get_queryset
    root = make_user("root", is_superuser=True)

    def unscoped(self: Any, request: Any) -> Any:
        person, request.user = request.user, root
        try:
            return scoped(self, request)
        finally:
            request.user = person

    monkeypatch.setattr(type(page), "get_queryset", unscoped)
    assert isinstance(page, ModelAdmin)
    mine = [route for route in sorted(set(routes())) if walking.model_of(route) is model]
    client = logged_in(make_user("boss", (world.mine[Tenant], Role.ADMINISTRATOR)))

    share = mine if FULL else mine[:1]
    walk(walked, "administrator", client, theirs=theirs, marks=("theirs",), share=share)

    assert walked.leaks
