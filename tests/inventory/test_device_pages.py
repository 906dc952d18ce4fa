"""Devices in the admin: the form, the list, files in and out."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from inventory.models import Device, Tenant
from tests.factories import make_credential, make_device, make_tenant
from tests.inventory.kit import Role, logged_in, make_user, page

pytestmark = pytest.mark.django_db

BEGIN = reverse("admin:inventory_device_begin")
LIST = reverse("admin:inventory_device_changelist")
ADD = reverse("admin:inventory_device_add")
IMPORT = reverse("admin:inventory_device_import")
CONFIRM = reverse("admin:inventory_device_process_import")
EXPORT = reverse("admin:inventory_device_export")
HEAD = "name,address,port,platform,credential,site,tags\n"


@pytest.fixture
def tenant() -> Tenant:
    """One tenant with a credential."""
    tenant = make_tenant()
    make_credential(tenant, "lab")
    return tenant


@pytest.fixture
def client(tenant: Tenant) -> Client:
    """The browser of its operator."""
    return logged_in(make_user("olga", (tenant, Role.OPERATOR)))


@pytest.fixture(autouse=True)
def var(tmp_path: Path, settings: Any) -> Path:
    """A place for waiting files."""
    settings.NETCAIRN_VAR = tmp_path
    return tmp_path


def data(tenant: Tenant, **more: Any) -> dict[str, Any]:
    """What the form sends."""
    return {"tenant": tenant.pk, "name": "edge1", "address": "127.0.0.1", "port": 2022, "platform": "cisco_ios", **more}


def upload(client: Client, tenant: Tenant, text: str | bytes) -> Any:
    """Send a file for its preview."""
    content = text.encode() if isinstance(text, str) else text
    file = SimpleUploadedFile("devices.csv", content, "text/csv")
    return client.post(IMPORT, {"tenant": tenant.pk, "import_file": file, "format": "0", "resource": "0"})


def confirm(client: Client, response: Any, **changes: Any) -> Any:
    """Press the button below a preview."""
    form = response.context["confirm_form"]
    return client.post(CONFIRM, {**form.initial, **changes}, follow=True)


def test_a_device_is_added_with_its_tags_and_a_platform_of_the_sheets(tenant: Tenant, client: Client) -> None:
    """A simulator at the loopback address is a device like any other."""
    assert client.post(ADD, data(tenant, tags="core, east;east")).status_code == 302
    device = Device.objects.get()
    assert (device.address, device.port, device.platform, device.tags) == (
        "127.0.0.1",
        2022,
        "cisco_ios",
        ["core", "east"],
    )


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": "a/b"}, "is not a usable name"),
        ({"address": "http://x"}, "is neither an IP address nor a host name"),
        ({"port": "70000"}, "less than or equal to 65535"),
        ({"platform": "ios"}, "not one of the available choices"),
        ({"tags": "a&b"}, "is not a usable tag"),
        ({"site": "a\u202eb"}, "characters that cannot be seen"),
    ],
)
def test_a_wrong_field_says_what_is_wrong_with_it(
    tenant: Tenant, client: Client, wrong: dict[str, str], sentence: str
) -> None:
    """At the field, in words."""
    assert sentence in page(client.post(ADD, data(tenant, **wrong)))
    assert not Device.objects.exists()


def test_a_device_whose_sheet_is_gone_keeps_its_platform(tenant: Tenant, client: Client) -> None:
    """Saving another field must not turn it silently into something else."""
    device = make_device(tenant, platform="acme_os")
    url = reverse("admin:inventory_device_change", args=[device.pk])
    assert "acme_os (no sheet of that name)" in page(client.get(url))
    assert client.post(url, data(tenant, platform="acme_os", site="x")).status_code == 302
    device.refresh_from_db()
    assert (device.platform, device.site) == ("acme_os", "x")


def test_the_list_is_searched_and_filtered(tenant: Tenant, client: Client) -> None:
    """A thousand devices are found by what people know of them."""
    make_device(tenant, "edge1", site="berlin", tags=["core"])
    make_device(tenant, "edge2", platform="arista_eos", address="198.51.100.7")
    make_device(tenant, "old", retired_at=timezone.now())

    def found(query: str) -> list[str]:
        return [device.name for device in client.get(f"{LIST}?{query}").context["cl"].result_list]

    assert found("") == ["edge1", "edge2"]
    assert found("q=198.51") == ["edge2"]
    assert found("q=core") == ["edge1"]
    assert found("q=berlin") == ["edge1"]
    assert found("platform=arista_eos") == ["edge2"]
    assert found("site=berlin") == ["edge1"]
    assert found("service=retired") == ["old"]
    assert len(found("service=all")) == 3


def test_the_pinned_key_is_shown_as_other_programs_show_it(tenant: Tenant, client: Client) -> None:
    """So that somebody at the device can compare the two."""
    device = make_device(
        tenant, host_key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB4s8Gv4tT0b1qz1f0dZ6vJ3kRrY1c4w9m2n5p7q8s0u"
    )
    text = page(client.get(reverse("admin:inventory_device_change", args=[device.pk])))
    assert "ssh-ed25519 SHA256:" in text
    assert device.host_key_fingerprint() in text.replace("&#x27;", "'").replace("&#43;", "+")


def test_an_import_is_shown_first_and_written_after_it_was_confirmed(tenant: Tenant, client: Client) -> None:
    """The preview writes nothing, the confirmation writes what was shown."""
    make_device(tenant, "edge1")
    response = upload(
        client, tenant, HEAD + "edge1,192.0.2.7,22,cisco_ios,lab,,\nedge2,192.0.2.2,,arista_eos,lab,x,a b\n"
    )
    assert "edge2" in page(response)
    assert Device.objects.count() == 1
    assert "1 new, 1 updated" in page(confirm(client, response))
    assert set(Device.objects.values_list("name", "address")) == {("edge1", "192.0.2.7"), ("edge2", "192.0.2.2")}


def test_a_bad_file_names_every_line_and_writes_nothing(tenant: Tenant, client: Client, var: Path) -> None:
    """The same sentences as the command, and no traceback of ours on the page."""
    text = page(upload(client, tenant, HEAD + "edge1,x y,22,ios,lab,,\nedge1,192.0.2.1,22,cisco_ios,nope,,\n"))
    assert "Line 2: there is no platform" in text
    assert "Line 3: tenant acme has no credential" in text
    assert "stands in line 2 already" in text
    assert "Traceback" not in text
    assert str(var) not in text
    assert not Device.objects.exists()


def test_cells_are_escaped_on_the_preview(tenant: Tenant, client: Client) -> None:
    """A file may come from anybody."""
    text = page(upload(client, tenant, HEAD + "edge1,192.0.2.1,22,cisco_ios,lab,<script>alert(1)</script>,\n"))
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;" in text


def test_rows_are_for_the_chosen_tenant_whatever_the_file_says(tenant: Tenant, client: Client) -> None:
    """A column for the tenant is compared, never obeyed."""
    globex = make_tenant("globex")
    text = HEAD.replace("name,", "tenant,name,") + "globex,edge1,192.0.2.1,22,cisco_ios,lab,,\n"
    assert "of tenant &#x27;globex&#x27;" in page(upload(client, tenant, text))
    assert "not one of the available choices" in page(upload(client, globex, HEAD + "e,192.0.2.1,,cisco_ios,,,\n"))
    good = upload(client, tenant, HEAD + "e,192.0.2.1,,cisco_ios,,,\n")
    assert not Device.objects.exists()
    confirm(client, good, tenant=globex.pk)
    assert not Device.objects.exists()


def test_a_waiting_file_is_private_and_nothing_else_can_be_named(tenant: Tenant, client: Client, var: Path) -> None:
    """The name comes back from the browser, and names a file of the server."""
    response = upload(client, tenant, HEAD + "e,192.0.2.1,,cisco_ios,,,\n")
    (waiting,) = (var / "imports").iterdir()
    assert waiting.parent.stat().st_mode & 0o777 == 0o700
    (var / "other").write_text(HEAD + "stolen,192.0.2.1,,cisco_ios,,,\n")
    for name in ("other", "../other", str(var / "other"), uuid4().hex):
        assert "upload it again" in page(confirm(client, response, import_file_name=name))
    assert not Device.objects.exists()
    confirm(client, response)
    assert Device.objects.get().name == "e"
    assert not waiting.exists()


def test_a_file_that_nobody_confirmed_goes(tenant: Tenant, client: Client, var: Path) -> None:
    """It would stay for ever."""
    upload(client, tenant, HEAD + "e,192.0.2.1,,cisco_ios,,,\n")
    (waiting,) = (var / "imports").iterdir()
    os.utime(waiting, (time.time() - 2 * 24 * 3600,) * 2)
    upload(client, tenant, HEAD + "f,192.0.2.1,,cisco_ios,,,\n")
    assert not waiting.exists()


def test_the_world_may_move_on_between_preview_and_confirmation(tenant: Tenant, client: Client) -> None:
    """Then nothing is written, and it is said."""
    response = upload(client, tenant, HEAD + "e,192.0.2.1,,cisco_ios,lab,,\n")
    tenant.credentials.all().delete()
    assert "has no credential" in page(confirm(client, response))
    assert not Device.objects.exists()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00n", b"name,address\n", b"x" * (5 * 1024 * 1024 + 1)])
def test_a_file_that_is_no_list_of_devices_is_refused(tenant: Tenant, client: Client, content: bytes) -> None:
    """With a sentence, not with an error of the server."""
    assert "confirm_form" not in upload(client, tenant, content).context
    assert not Device.objects.exists()


def test_an_export_comes_back_as_it_went(tenant: Tenant, client: Client) -> None:
    """The columns are the import's; formulae are harmless; nothing secret or foreign is in it."""
    credential = tenant.credentials.get()
    credential.set_password("Canary-7316")
    credential.save()
    make_device(tenant, "edge1", credential=credential, site="=1+1", tags=["a", "b"], host_key="ssh-rsa AAAA")
    make_device(tenant, "edge2", enabled=False, site="@x", address="2001:db8::1", port=2022)
    make_device(make_tenant("globex"), "foreign-box")
    response = client.post(EXPORT, {"format": "0", "resource": "0"})
    text = response.content.decode("utf-8-sig")
    assert text.splitlines()[0] == "tenant,name,address,port,platform,credential,site,tags,jump_host,enabled"
    assert "acme,edge1,192.0.2.1,22,cisco_ios,lab,'=1+1,a b,,yes" in text.splitlines()
    for absent in ("Canary", "foreign-box", "ssh-rsa", str(credential.pk)):
        assert absent not in text
    assert "attachment" in response["Content-Disposition"]

    before = list(Device.objects.filter(tenant=tenant).order_by("name").values())
    assert "0 new, 0 updated" in page(confirm(client, upload(client, tenant, response.content)))
    Device.objects.filter(tenant=tenant).update(site="", tags=[], enabled=True, port=22)
    assert "0 new, 2 updated" in page(confirm(client, upload(client, tenant, response.content)))
    assert list(Device.objects.filter(tenant=tenant).order_by("name").values()) == before


def test_pages_for_files_change_nothing_by_get(tenant: Tenant, client: Client) -> None:
    """Looking is free."""
    make_device(tenant)
    page(client.get(IMPORT))
    page(client.get(EXPORT))
    assert client.get(CONFIRM).status_code == 405
    assert Device.objects.count() == 1


def test_the_guide_is_found_again_in_the_list(tenant: Tenant, client: Client) -> None:
    """The dashboard leads to it only while there is no device; an auditor could not follow."""
    make_device(tenant, "edge1")
    auditor = logged_in(make_user("anna", (tenant, Role.AUDITOR)))

    assert BEGIN in page(client.get(LIST))
    assert BEGIN not in page(auditor.get(LIST))
