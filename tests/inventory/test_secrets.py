"""Secrets at rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from inventory.errors import BadSecretsKeys, SecretUnreadable
from inventory.models import Credential, Tenant
from inventory.secrets import keyring, open_sealed, read_again, seal
from inventory.services import Rotation, rotate_one, rotate_secrets
from tests.factories import make_credential, make_tenant
from tests.inventory.kit import new_key

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def unsaved(tenant: Tenant | None = None) -> Credential:
    """A row that is in no database."""
    return Credential(tenant=tenant or Tenant(name="acme"), name="lab", username="netcairn")


@given(texts)
def test_what_is_sealed_opens_as_it_was(text: str) -> None:
    """A password that comes back with a byte more or less locks accounts."""
    row = unsaved()
    row.password_sealed = seal(row, "password", text)
    assert open_sealed(row, "password") == text


@given(texts.filter(lambda text: len(text.encode()) > 4))
def test_a_sealed_value_holds_nothing_of_its_text(text: str) -> None:
    """Whoever has a dump of the database has nothing."""
    assert text.encode() not in seal(unsaved(), "password", text)


def test_the_same_text_seals_differently_each_time() -> None:
    """Equal values would tell who shares a password."""
    row = unsaved()
    assert seal(row, "password", "same") != seal(row, "password", "same")


@given(texts.filter(bool), st.integers(min_value=0), st.integers(min_value=0, max_value=7))
def test_a_changed_bit_does_not_open(text: str, place: int, bit: int) -> None:
    """A damaged or forged value is refused, not used as another password."""
    row = unsaved()
    sealed = bytearray(seal(row, "password", text))
    sealed[place % len(sealed)] ^= 1 << bit
    row.password_sealed = bytes(sealed)
    with pytest.raises(SecretUnreadable):
        open_sealed(row, "password")


def test_a_value_moved_to_another_row_field_or_tenant_does_not_open() -> None:
    """Write access to the database must not be enough to read a neighbour's password by one's own page."""
    own = unsaved()
    sealed = seal(own, "password", "theirs")
    other_row = Credential(tenant=own.tenant, name="x", username="x", password_sealed=sealed)
    other_field = Credential(id=own.pk, tenant=own.tenant, name="x", username="x", enable_sealed=sealed)
    other_tenant = Credential(id=own.pk, tenant=Tenant(id=uuid4(), name="y"), name="x", username="x")
    other_tenant.password_sealed = sealed
    for row, field in ((other_row, "password"), (other_field, "enable"), (other_tenant, "password")):
        with pytest.raises(SecretUnreadable, match="enter the secret again"):
            open_sealed(row, field)


def test_an_unreadable_secret_names_the_credential_and_the_mend(settings: Any) -> None:
    """At night, somebody has to know which key to bring back."""
    row = unsaved()
    row.set_password("x")
    settings.NETCAIRN_SECRETS_KEYS = [new_key()]
    with pytest.raises(SecretUnreadable, match=r"password of credential lab .* put that key back"):
        row.password()


def test_an_older_key_still_opens_and_the_newest_seals(settings: Any) -> None:
    """Keys can be changed while everything runs."""
    old, new = new_key(), new_key()
    settings.NETCAIRN_SECRETS_KEYS = [old]
    row = unsaved()
    row.set_password("kept")
    settings.NETCAIRN_SECRETS_KEYS = [new, old]
    assert row.password() == "kept"
    assert seal(row, "password", "x")[1:9] == keyring()[0].id


@pytest.mark.parametrize("keys", [[], ["short"], ["!!!"], ["é"], [""], ["A" * 44], ["A" * 43 + "="]])
def test_bad_keys_are_found_when_the_program_starts(settings: Any, keys: list[str]) -> None:
    """Not when the first device is to be backed up; and the report never quotes a key."""
    settings.NETCAIRN_SECRETS_KEYS = keys
    found = [error for error in run_checks() if error.id == "netcairn.E001"]
    assert len(found) == 1
    assert found[0].hint
    assert not any(key and key in found[0].msg for key in keys)


def test_the_same_key_twice_is_refused(settings: Any) -> None:
    """It is a slip of the pen: the old key is gone from the list, and with it what it sealed."""
    key = new_key()
    settings.NETCAIRN_SECRETS_KEYS = [key, key]
    with pytest.raises(BadSecretsKeys, match="twice"):
        keyring()


@pytest.mark.django_db
def test_secrets_are_in_no_column_and_no_repr() -> None:
    """Rows are logged, dumped and shown in error pages."""
    credential = make_credential(make_tenant())
    credential.set_password("Canary-7316")
    credential.save()
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(c)::text, encode(password_sealed, 'escape') FROM inventory_credential c")
        stored = " ".join(cursor.fetchone())
    assert "Canary" not in stored + repr(credential) + str(credential)
    assert Credential.objects.get().password() == "Canary-7316"


@pytest.mark.django_db
def test_rotation_seals_anew_and_the_old_key_can_go(settings: Any) -> None:
    """The point of it: after a key was seen by somebody, it opens nothing any more."""
    old, new = new_key(), new_key()
    settings.NETCAIRN_SECRETS_KEYS = [old]
    for name in ("a", "b", "c"):
        credential = make_credential(make_tenant(name), name)
        credential.set_password(f"password of {name}")
        credential.set_enable_secret(f"enable of {name}")
        credential.save()
    settings.NETCAIRN_SECRETS_KEYS = [new, old]
    rotation = rotate_secrets(batch=2)
    settings.NETCAIRN_SECRETS_KEYS = [new]
    assert (rotation.credentials, rotation.resealed, rotation.current) == (3, 6, 0)
    assert [c.password() for c in Credential.objects.order_by("name")] == [f"password of {n}" for n in "abc"]
    assert rotate_secrets().resealed == 0


@pytest.mark.django_db
def test_rotation_does_not_undo_what_somebody_enters_meanwhile(settings: Any) -> None:
    """A new password must not be replaced by the old one because a row was read before it was entered."""
    old, new = new_key(), new_key()
    settings.NETCAIRN_SECRETS_KEYS = [old]
    credential = make_credential(make_tenant())
    credential.set_password("before")
    credential.save()
    settings.NETCAIRN_SECRETS_KEYS = [new, old]
    stale = Credential.objects.select_related("tenant").get()
    entered = Credential.objects.get()
    entered.set_password("after")
    entered.save()
    rotation = Rotation()
    rotate_one(stale, rotation)
    assert (rotation.moved, rotation.resealed) == (1, 0)
    assert Credential.objects.get().password() == "after"


@pytest.mark.django_db
def test_rotation_leaves_what_does_not_open_and_says_so(settings: Any, capsys: Any) -> None:
    """A lost key must not stop the others, and must not be lost sight of."""
    settings.NETCAIRN_SECRETS_KEYS = [new_key()]
    lost = make_credential(make_tenant("acme"), "lost")
    lost.set_password("x")
    lost.save()
    sealed = bytes(lost.password_sealed)
    settings.NETCAIRN_SECRETS_KEYS = [new_key()]
    with pytest.raises(CommandError, match="Keep the old keys"):
        call_command("rotate_secrets")
    assert "Tenant acme: The password of credential lost" in capsys.readouterr().err
    assert bytes(Credential.objects.get().password_sealed) == sealed


@pytest.mark.django_db
def test_keys_change_while_everything_runs(settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Workers that know the old key alone go on through a rotation, and a page seals with the new one from then on."""
    old, new, file = new_key(), new_key(), tmp_path / "secrets.keys"
    monkeypatch.setenv("NETCAIRN_SECRETS_KEYS_FILE", str(file))
    monkeypatch.delenv("NETCAIRN_SECRETS_KEYS", raising=False)
    settings.NETCAIRN_SECRETS_KEYS_READER = "config.conf.secrets_keys_now"
    settings.NETCAIRN_SECRETS_KEYS = [old]
    file.write_text(old)
    rows = [make_credential(make_tenant(name), name) for name in ("a", "b", "c")]
    for row in rows:
        row.set_password(f"password of {row.name}")
        row.save()
    opened: list[str] = []

    def a_worker_reads(_done: int) -> None:
        settings.NETCAIRN_SECRETS_KEYS = [old]  # as it was started, in the middle of the rotation
        opened.extend(one.password() for one in Credential.objects.order_by("name"))

    file.write_text(f"{new}\n{old}\n")
    settings.NETCAIRN_SECRETS_KEYS = [new, old]
    assert rotate_secrets(progress=a_worker_reads).resealed == 3
    settings.NETCAIRN_SECRETS_KEYS = [old]
    late = Credential.objects.get(name="a")
    late.set_password("entered on a page that runs since yesterday")
    late.save()

    file.write_text(new)
    settings.NETCAIRN_SECRETS_KEYS = [new]
    assert opened == [f"password of {name}" for _ in range(3) for name in "abc"]
    assert [one.password()[:8] for one in Credential.objects.order_by("name")] == ["entered ", "password", "password"]


def test_a_file_of_keys_that_is_being_written_loses_nothing(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a key is refused, and the keys that were there before stay."""
    good = new_key()
    settings.NETCAIRN_SECRETS_KEYS = [good]
    settings.NETCAIRN_SECRETS_KEYS_READER = "config.conf.secrets_keys_now"
    monkeypatch.setenv("NETCAIRN_SECRETS_KEYS", good[:20])

    with pytest.raises(BadSecretsKeys):
        read_again()

    assert [good] == settings.NETCAIRN_SECRETS_KEYS
