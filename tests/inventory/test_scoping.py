"""Two tenants, and everything that Django's admin would show or accept of the wrong one."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection, transaction
from django.http import Http404
from django.test import Client, RequestFactory
from django.urls import reverse

from inventory import scoping
from inventory.models import Credential, Device, Membership, Tenant
from inventory.people_admin import PeopleAdmin
from inventory.scoping import (
    TenantAutocompleteFilter,
    TenantModelAdmin,
    TenantRelatedFilter,
    tenant_object_or_404,
    visible_log_entries,
    visible_rows,
)
from tests.factories import make_credential, make_device, make_tenant
from tests.inventory.kit import Role, logged_in, make_user, page

pytestmark = pytest.mark.django_db

DEVICES = reverse("admin:inventory_device_changelist")
ADD_DEVICE = reverse("admin:inventory_device_add")
TENANT_FIELDS = {"max_sessions": 0, "max_sessions_a_site": 0, "objective_hours": 26}


class World:
    """Two tenants with a device and a credential each, and people in them."""

    def __init__(self) -> None:
        self.acme, self.globex = make_tenant("acme"), make_tenant("globex")
        self.ours, self.theirs = make_credential(self.acme, "ours"), make_credential(self.globex, "theirs-cred")
        self.mine = make_device(self.acme, "mine", credential=self.ours, site="here")
        self.foreign = make_device(self.globex, "foreign-box", credential=self.theirs, site="secret-site")
        self.user = make_user("olga", (self.acme, Role.ADMINISTRATOR))
        self.client = logged_in(self.user)


@pytest.fixture
def world() -> World:
    """See World."""
    return World()


def change_url(row: Any, page_name: str = "change") -> str:
    """The address of a row's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{page_name}", args=[row.pk])


def device_data(world: World, **changes: Any) -> dict[str, Any]:
    """What the form of a new device sends."""
    return {
        "tenant": world.acme.pk,
        "name": "new",
        "address": "192.0.2.9",
        "port": 22,
        "platform": "cisco_ios",
        "credential": world.ours.pk,
        "site": "",
        "tags": "",
        "enabled": "on",
        **changes,
    }


def test_lists_show_rows_of_the_own_tenant_only(world: World) -> None:
    """The first thing anybody would notice."""
    for model, own, foreign in (
        ("device", "mine", "foreign-box"),
        ("credential", "ours", "theirs-cred"),
        ("tenant", "acme", "globex"),
    ):
        text = page(world.client.get(reverse(f"admin:inventory_{model}_changelist")))
        assert own in text
        assert foreign not in text


def test_a_select_offers_rows_of_the_own_tenant_only(world: World) -> None:
    """Django's own form names the credentials of all tenants."""
    for url in (ADD_DEVICE, change_url(world.mine)):
        text = page(world.client.get(url))
        assert "ours" in text
        assert "theirs-cred" not in text
        assert "globex" not in text


def test_a_filter_names_rows_and_values_of_the_own_tenant_only(world: World) -> None:
    """Customers' names are nobody else's business; nor are their sites."""
    second = make_tenant("umbrella")
    Membership.objects.create(tenant=second, user=world.user)
    text = page(world.client.get(DEVICES))
    assert "umbrella" in text
    assert "globex" not in text
    assert "secret-site" not in text


@pytest.mark.parametrize("kind", ["change", "delete", "history"])
def test_pages_of_a_foreign_row_are_as_if_it_did_not_exist(world: World, kind: str) -> None:
    """Not "forbidden", which would say that it exists."""
    foreign = world.client.get(change_url(world.foreign, kind))
    missing = world.client.get(reverse(f"admin:inventory_device_{kind}", args=[uuid4()]))
    assert foreign.status_code == missing.status_code == 302
    assert foreign.url == missing.url


@pytest.mark.parametrize(
    ("field", "row"), [("tenant", "globex"), ("credential", "theirs")], ids=["tenant", "credential"]
)
def test_a_posted_foreign_key_is_refused(world: World, field: str, row: str) -> None:
    """The list of options is only a suggestion to whoever writes the request by hand."""
    text = page(world.client.post(ADD_DEVICE, device_data(world, **{field: getattr(world, row).pk})))
    assert "not one of the available choices" in text
    assert "theirs-cred" not in text
    assert not Device.objects.filter(name="new").exists()


def test_a_row_never_changes_its_tenant(world: World) -> None:
    """History and secrets are bound to the tenant; a moved row would take them to somebody else."""
    Membership.objects.create(tenant=world.globex, user=world.user, role=Role.ADMINISTRATOR)
    data = device_data(world, name="mine", tenant=world.globex.pk)
    assert logged_in(world.user).post(change_url(world.mine), data).status_code == 302
    assert Device.objects.get(pk=world.mine.pk).tenant == world.acme


def test_a_credential_of_the_users_other_tenant_is_refused_with_a_reason(world: World) -> None:
    """Both are visible to the same person, and still must not meet."""
    Membership.objects.create(tenant=world.globex, user=world.user, role=Role.ADMINISTRATOR)
    client = logged_in(world.user)
    assert "theirs-cred (globex)" in page(client.get(ADD_DEVICE))
    text = page(client.post(ADD_DEVICE, device_data(world, credential=world.theirs.pk)))
    assert "belongs to another tenant" in text
    assert not Device.objects.filter(name="new").exists()


def test_on_a_device_that_exists_only_its_tenants_credentials_can_be_chosen(world: World) -> None:
    """Whoever works for two customers should not even be able to slip."""
    Membership.objects.create(tenant=world.globex, user=world.user, role=Role.ADMINISTRATOR)
    client = logged_in(world.user)
    assert "theirs-cred" not in page(client.get(change_url(world.mine)))
    assert client.post(change_url(world.mine), device_data(world, credential=world.theirs.pk)).status_code == 200
    world.mine.refresh_from_db()
    assert world.mine.credential == world.ours


def test_the_database_itself_refuses_a_device_with_a_foreign_credential(world: World) -> None:
    """The last net: whatever a form, a command or a person with SQL does."""
    with (
        pytest.raises(IntegrityError, match="same_tenant"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "INSERT INTO inventory_device (id, tenant_id, name, address, port, platform, credential_id, site, tags, "
            "enabled, legacy_algorithms, host_key, created_at) "
            "VALUES (%s, %s, 'x', '192.0.2.1', 22, 'cisco_ios', %s, '', '{}', true, false, '', now())",
            [uuid4(), world.acme.pk, world.theirs.pk],
        )
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def autocomplete(client: Client, app: str, model: str, field: str) -> Any:
    """What the autocompletion of a field answers."""
    query = {"app_label": app, "model_name": model, "field_name": field, "term": ""}
    return client.get(reverse("admin:autocomplete"), query)


def test_autocompletion_finds_rows_of_the_own_tenant_only(world: World) -> None:
    """It is an address of its own, which asks no page."""
    found = json.loads(autocomplete(world.client, "inventory", "device", "credential").content)
    assert [row["text"] for row in found["results"]] == ["ours"]


def test_autocompletion_of_people_is_not_for_members(world: World) -> None:
    """Names of all users would tell who the other customers are."""
    make_user("stranger", (world.globex, Role.AUDITOR))
    assert autocomplete(world.client, "inventory", "membership", "user").status_code == 403


def test_a_member_select_offers_colleagues_only(world: World) -> None:
    """A tenant's administrator gives roles to people of the tenant; strangers are added by who runs the program."""
    make_user("colleague", (world.acme, Role.AUDITOR))
    stranger = make_user("stranger", (world.globex, Role.AUDITOR))
    text = page(world.client.get(change_url(world.acme)))
    assert "colleague" in text
    assert "stranger" not in text
    data = {
        "name": "acme",
        **TENANT_FIELDS,
        "memberships-TOTAL_FORMS": 1,
        "memberships-INITIAL_FORMS": 0,
        "memberships-0-user": stranger.pk,
        "memberships-0-role": Role.AUDITOR,
        "memberships-0-tenant": world.acme.pk,
    }
    assert "not one of the available choices" in page(world.client.post(change_url(world.acme), data))
    assert not world.acme.memberships.filter(user=stranger).exists()


def test_a_tenants_administrator_cannot_feel_for_other_tenants_by_renaming(world: World) -> None:
    """The sentence that a name is taken would be an answer."""
    data = {"name": "globex", **TENANT_FIELDS, "memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
    assert world.client.post(change_url(world.acme), data).status_code == 302
    assert Tenant.objects.get(pk=world.acme.pk).name == "acme"


def test_a_foreign_row_in_an_inline_is_refused(world: World) -> None:
    """The id of another tenant's membership in a hidden field must not edit it."""
    other = make_user("other", (world.globex, Role.AUDITOR)).memberships.get()
    data = {
        "name": "acme",
        **TENANT_FIELDS,
        "memberships-TOTAL_FORMS": 1,
        "memberships-INITIAL_FORMS": 1,
        "memberships-0-id": other.pk,
        "memberships-0-user": world.user.pk,
        "memberships-0-role": Role.ADMINISTRATOR,
        "memberships-0-tenant": world.acme.pk,
    }
    world.client.post(change_url(world.acme), data)
    other.refresh_from_db()
    assert (other.role, other.tenant) == (Role.AUDITOR, world.globex)


def test_deleting_names_nothing_of_a_foreign_tenant(world: World) -> None:
    """A deletion that would take a foreign row along is refused without naming it."""
    page_of_devices = admin.site._registry[Credential]
    request = RequestFactory().get("/")
    request.user = world.user
    listed, _, _, protected = page_of_devices.get_deleted_objects([world.theirs], request)
    assert listed == []
    assert "foreign-box" not in str(protected)
    assert "2 rows that belong to tenants of others" in str(protected)


def test_a_credential_in_use_is_not_deleted(world: World) -> None:
    """The page says which devices still need it."""
    text = page(world.client.get(change_url(world.ours, "delete")))
    assert "mine" in text
    world.client.post(change_url(world.ours, "delete"), {"post": "yes"})
    assert Credential.objects.filter(pk=world.ours.pk).exists()


def test_actions_pass_crafted_ids_by(world: World) -> None:
    """The ids in the request are whatever somebody typed."""
    for action in ("disable", "delete_selected"):
        data = {"action": action, "_selected_action": [str(world.foreign.pk)], "post": "yes", "confirmed": "yes"}
        world.client.post(DEVICES, data)
        world.client.post(DEVICES, data | {"select_across": "1"})
    world.foreign.refresh_from_db()
    assert world.foreign.enabled


@pytest.mark.parametrize(
    "lookup",
    ["credential__password_sealed__startswith=a", "tenant__memberships__user__password__startswith=p"],
)
def test_the_address_bar_is_no_oracle(world: World, lookup: str) -> None:
    """Guessing letter by letter through filters is how secrets leaked elsewhere."""
    assert world.client.get(f"{DEVICES}?{lookup}").status_code in (302, 400)
    sealed = reverse("admin:inventory_credential_changelist") + "?password_sealed__gt=a"
    assert world.client.get(sealed).status_code in (302, 400)


def test_the_redirect_page_does_not_lead_to_foreign_rows(world: World) -> None:
    """`/admin/r/` takes a type and an id from the address."""
    kind = ContentType.objects.get_for_model(Device)
    assert world.client.get(reverse("admin:view_on_site", args=[kind.pk, world.foreign.pk])).status_code == 404


def test_staff_without_a_tenant_sees_nothing(world: World) -> None:
    """A forgotten membership must not mean all tenants, whatever permissions were given."""
    user = make_user("nobody", permissions=("inventory.view_device", "inventory.change_device"))
    client = logged_in(user)
    assert client.get(DEVICES).status_code == 403
    assert "foreign-box" not in page(client.get(reverse("admin:index")))
    assert not visible_rows(Device, user).exists()


def test_an_account_that_was_switched_off_sees_nothing(world: World) -> None:
    """Not even a superuser's."""
    for user in (make_user("gone", (world.acme, Role.ADMINISTRATOR)), make_user("root", is_superuser=True)):
        user.is_active = False
        assert not visible_rows(Device, user).exists()
        assert not visible_rows(Tenant, user).exists()


def test_a_model_without_a_tenant_is_for_superusers_only(world: World) -> None:
    """Whatever nobody thought of stays closed."""
    assert not visible_rows(ContentType, world.user).exists()
    assert visible_rows(ContentType, make_user("root", is_superuser=True)).exists()


def test_a_single_tenant_is_chosen_already(world: World) -> None:
    """Nobody should have to choose from one."""
    form = world.client.get(ADD_DEVICE).context["adminform"].form
    assert form.get_initial_for_field(form.fields["tenant"], "tenant") == world.acme.pk


def test_a_row_of_a_foreign_tenant_is_not_found(world: World) -> None:
    """The one way by which pages of our own take an id."""
    request = RequestFactory().get("/")
    request.user = world.user
    assert tenant_object_or_404(request, Device, world.mine.pk) == world.mine
    for pk in (world.foreign.pk, uuid4(), "not-an-id", None):
        with pytest.raises(Http404):
            tenant_object_or_404(request, Device, pk)


def test_recent_actions_forget_what_the_user_may_no_longer_see(world: World) -> None:
    """An entry keeps a row's name for ever; leaving a tenant must take it away."""
    membership = Membership.objects.create(tenant=world.globex, user=world.user)
    LogEntry.objects.log_actions(world.user.pk, [world.foreign, world.mine], 2, "Changed.")
    assert {entry.object_repr for entry in visible_log_entries(world.user)} == {"foreign-box", "mine"}
    membership.delete()
    assert [entry.object_repr for entry in visible_log_entries(world.user)] == ["mine"]
    assert "foreign-box" not in page(logged_in(world.user).get(reverse("admin:index")))


def test_pages_of_the_queue_are_gone() -> None:
    """They show arguments of all tenants, and adding a schedule there is running any function at all."""
    assert not [model for model in admin.site._registry if model._meta.app_label == "django_q"]


def test_a_tenant_has_as_many_people_for_whoever_counts(world: World) -> None:
    """The list of tenants is found through the memberships of who looks, which are not all."""
    Membership.objects.create(tenant=world.acme, user=make_user("second"))
    boss = make_user("boss", (world.acme, Role.ADMINISTRATOR))

    counted = [
        {
            row.name: (row.members_n, row.devices_n)
            for row in one.get("/admin/inventory/tenant/").context["cl"].result_list
        }
        for one in (logged_in(boss), logged_in(make_user("root", is_superuser=True)))
    ]

    assert counted[0]["acme"] == counted[1]["acme"] and counted[0]["acme"][0] >= 2


def test_people_are_listed_with_what_they_may_do_where(world: World) -> None:
    """And lists are called by what they list."""
    make_user("boss", (world.acme, Role.ADMINISTRATOR))

    text = page(logged_in(make_user("root", is_superuser=True)).get("/admin/auth/user/"))

    assert "acme: tenant administrator" in text and "all: platform administrator" in text
    assert "<title> Users | Netcairn</title>" in " ".join(text.split())


def test_people_and_groups_are_for_superusers(world: World) -> None:
    """Whoever may edit users may give themselves everything."""
    user = make_user("clerk", (world.acme, Role.ADMINISTRATOR), permissions=("auth.change_user", "auth.view_group"))
    client = logged_in(user)
    for name in ("user", "group"):
        assert client.get(reverse(f"admin:auth_{name}_changelist")).status_code == 403
    root = logged_in(make_user("root", is_superuser=True))
    for name in ("user", "group"):
        page(root.get(reverse(f"admin:auth_{name}_changelist")))
        page(root.get(reverse(f"admin:auth_{name}_add")))
    page(root.get(reverse("admin:auth_user_change", args=[user.pk])))


def test_every_page_keeps_to_the_rules_that_are_checked_at_the_start() -> None:
    """A page that forgets its scope should not get as far as a test."""

    class Careless(TenantModelAdmin):
        raw_id_fields = ("credential",)
        list_filter = ("credential__name", ("tenant", admin.RelatedOnlyFieldListFilter))
        list_display = ("name", "site")
        list_editable = ("site",)

    found = {error.id for error in Careless(Device, admin.site).check()}
    assert {"netcairn.E101", "netcairn.E102", "netcairn.E103"} <= found

    class Careful(TenantModelAdmin):
        list_filter = ("tenant", ("credential", TenantAutocompleteFilter), ("tenant", TenantRelatedFilter))

    assert Careful(Device, admin.site).check() == []


def test_an_autocomplete_filter_does_not_name_a_foreign_row(world: World) -> None:
    """The filter shows the name of whatever id stands in the address."""

    class Page(TenantModelAdmin):
        list_filter = (("credential", TenantAutocompleteFilter),)

    request = RequestFactory().get("/", {"credential__id__exact": str(world.theirs.pk)})
    request.user = world.user
    changelist = Page(Device, admin.site).get_changelist_instance(request)
    shown = next(iter(changelist.filter_specs[0].choices(changelist)))["form"].as_p()
    assert "theirs-cred" not in shown


def test_all_our_models_pages_are_scoped() -> None:
    """A new page that does not build on the base class is a hole; but the one that only superusers ever see."""
    ours = ("inventory", "backups", "checkpoints")
    loose = [
        str(model)
        for model, model_page in admin.site._registry.items()
        if model._meta.app_label in ours and not isinstance(model_page, TenantModelAdmin | PeopleAdmin)
    ]
    assert loose == []


def test_of_many_tenants_one_is_found_by_typing(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A select of a thousand tenants is drawn for half the time of a list, and nobody chooses from it."""
    monkeypatch.setattr(scoping, "MANY", 1)
    mine, other = make_tenant("mine"), make_tenant("other")
    make_device(mine, "edge1")
    make_device(other, "edge2")
    root = logged_in(make_user("root", is_superuser=True))

    text = page(root.get(f"/admin/inventory/device/?tenant__id__exact={mine.pk}"))

    assert "edge1" in text and "edge2" not in text and f'value="{other.pk}"' not in text
