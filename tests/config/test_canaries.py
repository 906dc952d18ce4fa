"""Secrets that were marked, and then looked for everywhere: tables, logs, commits, files, pages, queue, reports of errors."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client, RequestFactory
from django.views.debug import ExceptionReporter

from backups import jobs
from backups.errors import LoginRefused
from backups.models import Attempt, Run
from inventory.admin import CredentialAdmin
from inventory.models import Credential
from inventory.services import add_credential
from tests.backups.test_shard import back_up, config
from tests.factories import make_device, make_tenant
from tests.inventory.kit import Role, logged_in, make_user, ssh_key
from tests.inventory.test_login import try_in, with_app

pytestmark = pytest.mark.django_db
MARK = "Canary-8834"


def tables() -> str:
    """Every row of every table; bytes as they are, where they are text."""
    every = []
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names():
            quoted = connection.ops.quote_name(name)
            cursor.execute(f"SELECT coalesce(string_agg(t::text, '|'), '') FROM {quoted} t")  # noqa: S608 - our own names
            every.append(cursor.fetchone()[0])
    return "\n".join(every)


def repositories(root: Path) -> bytes:
    """Every object of every repository, and every other file beside them."""
    command = ["git", "cat-file", "--batch-all-objects", "--batch"]
    kept = [subprocess.run(command, cwd=one, capture_output=True, check=True).stdout for one in root.glob("*.git")]
    return b"".join([*kept, *(path.read_bytes() for path in root.rglob("*") if path.is_file())])


def is_marked(text: str | bytes) -> bool:
    """Whether a secret is in it, in clear, in hex as PostgreSQL shows bytes, or in base64 as sessions are kept."""
    data = text.encode() if isinstance(text, str) else text
    return MARK.encode() in data or MARK.encode().hex().encode() in data


def test_no_secret_of_a_backup_is_anywhere_but_where_it_is_meant_to_be(
    settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    """Of credentials that are kept here and elsewhere: after a success, a refused login, a page and a queued run."""
    caplog.set_level(logging.DEBUG)
    settings.NETCAIRN_STORE_ROOT = tmp_path / "store"
    tenant = make_tenant("acme")
    here = {
        "password": f"{MARK}-a",
        "enable": f"{MARK}-b",
        "private_key": ssh_key(f"{MARK}-c"),
        "passphrase": f"{MARK}-c",
    }
    elsewhere = add_credential(tenant, "elsewhere", "netcairn", {}, source="environment")
    monkeypatch.setenv("NETCAIRN_CREDENTIAL_ACME__ELSEWHERE__PASSWORD", f"{MARK}-d")
    devices = [
        make_device(tenant, "edge1", credential=add_credential(tenant, "here", "netcairn", here)),
        make_device(tenant, "edge2", credential=elsewhere),
        make_device(tenant, "edge3", credential=elsewhere),
    ]
    answers = {"edge1": config("edge1"), "edge2": config("edge2"), "edge3": LoginRefused("edge3 refused netcairn")}

    run = back_up(devices, answers)
    jobs.enqueue_run(devices, requested_by="ada")

    client = logged_in(make_user("boss", (tenant, Role.ADMINISTRATOR)))
    shown = ["", "inventory/credential/", "inventory/device/", f"backups/run/{run.pk}/change/", "inventory/auditentry/"]
    shown += [f"inventory/credential/{one.pk}/change/" for one in Credential.objects.all()]
    shown += [f"inventory/device/{one.pk}/overview/" for one in devices]
    pages = {address: client.get(f"/admin/{address}", follow=True) for address in shown}
    assert Run.objects.count() == 2
    assert set(Attempt.objects.filter(run=run).values_list("state", flat=True)) == {"changed", "failed"}
    assert {page.status_code for page in pages.values()} == {200}
    places = {
        "tables": tables(),
        "log": caplog.text,
        "store": repositories(tmp_path / "store"),
        **{f"page {address}": page.content for address, page in pages.items()},
    }
    assert [place for place, text in places.items() if is_marked(text)] == []
    assert is_marked(tables().replace("acme", MARK))  # it must be a look that could have found something


def test_no_secret_of_a_login_is_anywhere(caplog: Any) -> None:
    """Passwords, right and wrong and in the wrong box, and what an authenticator app was given."""
    caplog.set_level(logging.DEBUG)
    person = make_user("ada")
    person.set_password(f"{MARK}-right")
    person.save()
    client = Client()
    try_in(client, "ada", f"{MARK}-wrong")
    try_in(client, f"{MARK}-name", f"{MARK}-right")
    try_in(client, "ada", f"{MARK}-right")

    secret = with_app(client, password=f"{MARK}-right")

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_session")  # until it is confirmed, an app's secret waits in its session
    told = tables() + caplog.text
    assert len(secret) > 20
    assert not is_marked(told) and secret not in told


@pytest.mark.parametrize("address", ["/admin/login/", "/admin/inventory/credential/add/"])
def test_a_report_of_an_error_has_no_secret_that_was_sent(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in the middle of saving: its report may go by mail, to a log, to a service elsewhere."""
    boss = logged_in(make_user("boss", is_superuser=True))
    seen: dict[str, Any] = {}

    def broken(*args: Any, **kwargs: Any) -> None:
        seen["request"] = next(one for one in (*args, *kwargs.values()) if hasattr(one, "sensitive_post_parameters"))
        raise RuntimeError("a bug")

    monkeypatch.setattr(CredentialAdmin, "_changeform_view", broken)
    monkeypatch.setattr("inventory.login.adapters.AccountAdapter.authenticate", broken)
    client = Client(raise_request_exception=False) if "login" in address else boss
    client.raise_request_exception = False

    answer = client.post(address, {"username": "ada", "name": "x", "password": f"{MARK}-sent"})

    report = ExceptionReporter(seen["request"], *raised()).get_traceback_text()
    assert answer.status_code == 500
    assert "RuntimeError" in report and "a bug" in report
    assert not is_marked(report + answer.content.decode())


def raised() -> Any:
    """What `sys.exc_info` gives in the middle of handling a bug."""
    try:
        raise RuntimeError("a bug")
    except RuntimeError:
        return sys.exc_info()


def test_settings_in_a_report_show_no_key(settings: LazySettings) -> None:
    """Whoever reads a report learns how we are set up, and not what opens everything."""
    settings.SECRET_KEY = settings.NETCAIRN_SECRETS_KEYS = f"{MARK}-key"
    settings.NETCAIRN_VAULT = {"address": "https://192.0.2.1", "token": f"{MARK}-t", "secret_id": f"{MARK}-s"}
    app = {"client_id": "netcairn", "secret": f"{MARK}-client"}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}

    report = ExceptionReporter(RequestFactory().get("/"), *raised()).get_traceback_text()

    assert "192.0.2.1" in report
    assert not is_marked(report)
