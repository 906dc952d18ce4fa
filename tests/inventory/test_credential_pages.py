"""Secrets go into the admin and never come out."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from inventory.models import Credential, Tenant
from tests.factories import make_credential, make_tenant
from tests.inventory.kit import Role, logged_in, make_user, page, ssh_key

pytestmark = pytest.mark.django_db

ADD = reverse("admin:inventory_credential_add")
LIST = reverse("admin:inventory_credential_changelist")
CANARY = "Canary-7316"


@pytest.fixture
def tenant() -> Tenant:
    """One tenant."""
    return make_tenant()


@pytest.fixture
def client(tenant: Tenant) -> Client:
    """The browser of its administrator."""
    return logged_in(make_user("olga", (tenant, Role.ADMINISTRATOR)))


def change(credential: Credential) -> str:
    """The address of its page."""
    return reverse("admin:inventory_credential_change", args=[credential.pk])


def data(tenant: Tenant, **more: Any) -> dict[str, Any]:
    """What the form sends."""
    return {"tenant": tenant.pk, "name": "lab", "username": "netcairn", **more}


def kept(tenant: Tenant, **secrets: str) -> Credential:
    """A credential with secrets."""
    credential = make_credential(tenant)
    for name, text in secrets.items():
        credential.set_secret(name, text)
    credential.save()
    return credential


def test_secrets_that_are_entered_can_be_used(tenant: Tenant, client: Client) -> None:
    """Blanks belong to a password; a browser's line ends do not belong to a key."""
    key = ssh_key("lock")
    sent = data(
        tenant, password="  pass word ", enable=CANARY, private_key=key.replace("\n", "\r\n"), passphrase="lock"
    )
    assert client.post(ADD, sent).status_code == 302
    credential = Credential.objects.get()
    assert credential.password() == "  pass word "
    assert credential.enable_secret() == CANARY
    assert credential.private_key() == key
    assert credential.passphrase() == "lock"


def test_no_page_shows_a_secret(tenant: Tenant, client: Client) -> None:
    """Neither in clear nor sealed, nor after a mistake elsewhere on the form, in which Django would send it back."""
    credential = kept(tenant, password=CANARY, private_key=ssh_key(), enable=CANARY)
    sealed = bytes(credential.password_sealed).hex()
    wrong = data(tenant, name="not a name", password=CANARY, private_key=CANARY, passphrase=CANARY, enable=CANARY)
    pages = [
        page(client.get(LIST)),
        page(client.get(change(credential))),
        page(client.get(reverse("admin:inventory_credential_history", args=[credential.pk]))),
        page(client.get(reverse("admin:inventory_credential_delete", args=[credential.pk]))),
        page(client.post(change(credential), wrong)),
        page(client.post(ADD, wrong)),
    ]
    text = "".join(pages)
    assert "not a usable name" in text
    assert CANARY not in text
    assert sealed not in text
    assert "PRIVATE KEY" not in text


def test_no_secret_is_in_the_history_or_any_other_table(tenant: Tenant, client: Client) -> None:
    """The admin writes what changed into its log; sessions and messages are tables too."""
    client.post(ADD, data(tenant, password=CANARY))
    client.post(change(Credential.objects.get()), data(tenant, enable=CANARY))
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT coalesce(string_agg(t::text, ''), '') FROM \"{table}\" t")  # noqa: S608
            assert CANARY not in cursor.fetchone()[0], table


def test_an_empty_input_keeps_the_secret_and_a_ticked_box_removes_it(tenant: Tenant, client: Client) -> None:
    """Whoever corrects a username must not wipe the password by that."""
    credential = kept(tenant, password="stays", enable="goes")
    shown = page(client.get(change(credential)))
    assert "Set. Leave empty to keep it." in shown
    assert "Not set." in shown
    assert "clear_private_key" not in shown
    assert client.post(change(credential), data(tenant, username="other", clear_enable="on")).status_code == 302
    credential = Credential.objects.get()
    assert (credential.username, credential.password(), credential.enable_secret()) == ("other", "stays", "")


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({}, "Give a password or a private key"),
        ({"private_key": "nonsense"}, "The private key cannot be read"),
        ({"private_key": ssh_key("lock")}, "The private key is encrypted; give its passphrase too."),
        ({"private_key": ssh_key("lock"), "passphrase": "no"}, "its passphrase is wrong"),
        ({"private_key": ssh_key(), "passphrase": "no"}, "leave the passphrase empty"),
    ],
)
def test_what_could_not_log_in_is_refused_with_the_mend(
    tenant: Tenant, client: Client, sent: dict[str, str], sentence: str
) -> None:
    """Found while somebody is at the keyboard, not at the first backup of the night."""
    assert sentence in page(client.post(ADD, data(tenant, **sent)))
    assert not Credential.objects.exists()


def test_the_last_way_in_is_not_removed(tenant: Tenant, client: Client) -> None:
    """A credential without password and key can do nothing."""
    credential = kept(tenant, password="x")
    assert "Give a password or a private key" in page(
        client.post(change(credential), data(tenant, clear_password="on"))
    )
    assert "Either enter a new one" in page(
        client.post(change(credential), data(tenant, password="y", clear_password="on"))
    )
    assert Credential.objects.get().password() == "x"


def test_a_name_is_taken_once_in_a_tenant_only(tenant: Tenant, client: Client) -> None:
    """Two customers may both call theirs `lab`."""
    make_credential(make_tenant("globex"), "lab")
    assert client.post(ADD, data(tenant, password="x")).status_code == 302
    assert "already exists" in page(client.post(ADD, data(tenant, password="x")))


def test_an_auditor_sees_which_secrets_are_set_and_no_input(tenant: Tenant) -> None:
    """Looking on does not need fields to type into."""
    credential = kept(tenant, password=CANARY, enable="x")
    text = page(logged_in(make_user("ada", (tenant, Role.AUDITOR))).get(change(credential)))
    assert "password, enable" in text
    assert 'type="password"' not in text
    assert CANARY not in text
