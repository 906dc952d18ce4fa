"""Pinned host keys: what a known_hosts file says, and who may say that a stranger is the device."""

from __future__ import annotations

import base64
import hmac
import json
from io import StringIO

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from inventory.audit import AuditEntry
from inventory.host_key_services import accept, import_known_hosts, stranger_met
from inventory.host_keys import fingerprint, is_host_key, read_known_hosts
from inventory.models import Device
from inventory.notices import Notice
from tests.factories import make_device, make_tenant
from tests.inventory.kit import Role, logged_in, make_user, page


def new_key() -> str:
    """A host key as known_hosts has it."""
    public = Ed25519PrivateKey.generate().public_key()
    return public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


RSA = "ssh-rsa " + base64.b64encode(b"\0\0\0\7ssh-rsa" + bytes(40)).decode()


def hashed(name: str) -> str:
    """A name as `ssh-keygen -H` writes it."""
    salt = b"twenty bytes of salt"  # fixed: it is a part of a test's name, which must be the same in every worker
    digest = hmac.digest(salt, name.encode(), "sha1")
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


# The file


@pytest.mark.parametrize(
    ("hosts", "address", "port", "found"),
    [
        ("192.0.2.1", "192.0.2.1", 22, True),
        ("edge1,192.0.2.1", "192.0.2.1", 22, True),
        ("192.0.2.1", "192.0.2.1", 2022, False),
        ("[192.0.2.1]:2022", "192.0.2.1", 2022, True),
        ("[192.0.2.1]:2022", "192.0.2.1", 22, False),
        ("*.example.net,!bad.example.net", "edge1.example.net", 22, True),
        ("*.example.net,!bad.example.net", "bad.example.net", 22, False),
        ("EDGE1.example.net", "edge1.example.net", 22, True),
        (hashed("192.0.2.1"), "192.0.2.1", 22, True),
        (hashed("192.0.2.2"), "192.0.2.1", 22, False),
        (hashed("[2001:db8::1]:2022"), "2001:db8::1", 2022, True),
        ("|1|nonsense|nonsense", "192.0.2.1", 22, False),
    ],
)
def test_a_line_is_about_the_host_that_openssh_would_say(hosts: str, address: str, port: int, found: bool) -> None:
    """A key pinned to the wrong device locks it out; the rules are those of sshd(8)."""
    assert bool(read_known_hosts(f"{hosts} {new_key()}\n").keys_of(address, port)) is found


def test_of_several_keys_the_strongest_is_taken() -> None:
    """Devices have several; the one that cannot be forged is the one to insist on."""
    strong = new_key()
    known = read_known_hosts(f"# mine\n\nedge1 {RSA}\nedge1 {strong} a comment\n")

    assert known.keys_of("edge1", 22) == [strong, RSA]


def test_authorities_revoked_keys_and_rubbish_pin_nothing() -> None:
    """A line that is not a key of the host must not become one."""
    revoked = new_key()
    text = f"@cert-authority * {new_key()}\n@revoked * {revoked}\nedge1 {revoked}\nedge1 ssh-rsa !!!\nedge1\n"

    known = read_known_hosts(text)

    assert known.keys_of("edge1", 22) == []
    assert known.unreadable == (4, 5)


def test_a_key_says_what_it_is() -> None:
    """`ssh-ed25519` before an RSA key's bytes would never match what the device proves."""
    assert is_host_key(RSA)
    assert not is_host_key("ssh-ed25519 " + RSA.split()[1])
    assert not is_host_key("ssh-dss AAAA")


# Importing


@pytest.mark.django_db
def test_an_import_pins_what_is_not_pinned_and_replaces_nothing() -> None:
    """A file that somebody else wrote must not undo what a device has proved."""
    tenant, other = make_tenant(), make_tenant("globex")
    keys = [new_key() for _ in range(3)]
    make_device(tenant, "fresh", address="192.0.2.1")
    make_device(tenant, "pinned", address="192.0.2.2", port=2022, host_key=keys[1])
    make_device(tenant, "moved", address="192.0.2.3", host_key=keys[2])
    make_device(tenant, "unknown", address="192.0.2.9")
    make_device(other, "fresh", address="192.0.2.1")
    text = f"{hashed('192.0.2.1')} {keys[0]}\n[192.0.2.2]:2022 {keys[1]}\nmoved {new_key()}\n"

    outcome = import_known_hosts(tenant, text.encode(), by="ada")

    assert {str(pin.row): pin.found for pin in outcome.pins} == {
        "fresh": "pinned",
        "pinned": "same",
        "moved": "differs",
    }
    assert outcome.not_named == 1
    kept = {(device.tenant.name, device.name): device.host_key for device in Device.objects.select_related("tenant")}
    assert kept["acme", "fresh"] == keys[0]
    assert kept["acme", "moved"] == keys[2]
    assert kept["globex", "fresh"] == ""
    assert AuditEntry.objects.get().detail == {"fresh": fingerprint(keys[0])}


@pytest.mark.django_db
def test_the_command_imports_lists_and_tries_dry(tmp_path) -> None:
    """What ssh knows already need not be trusted a second time on first use."""
    make_device(make_tenant(), "edge1", address="192.0.2.1")
    file, key = tmp_path / "known_hosts", new_key()
    file.write_text(f"192.0.2.1 {key}\n")

    for dry in (True, False):
        out = StringIO()
        options = ["--dry-run"] if dry else []
        call_command("devices", "host-keys", "import", str(file), "--tenant", "acme", "--json", *options, stdout=out)
        assert json.loads(out.getvalue())["hosts"][0]["outcome"] == "pinned"
        assert Device.objects.get().host_key == ("" if dry else key)
    out = StringIO()
    call_command("devices", "host-keys", "list", "--json", stdout=out)
    assert json.loads(out.getvalue())["host_keys"][0]["pinned"] == fingerprint(key)


# A stranger


@pytest.fixture
def stranger(db: None) -> Device:
    """A device that showed another key than the pinned one."""
    device = make_device(make_tenant(), "edge1", host_key=new_key())
    stranger_met(device, new_key(), now=timezone.now())
    device.refresh_from_db()
    return device


def test_a_stranger_raises_one_alarm(stranger: Device) -> None:
    """The same thing every minute of a night is one thing to look at."""
    stranger_met(stranger, stranger.presented_key, now=timezone.now())

    alarm = Notice.objects.open_alarms().get()
    assert (alarm.code, alarm.about, alarm.times) == ("host_key.changed", "device edge1", 1)
    assert stranger.presented_fingerprint() in alarm.text
    assert stranger.host_key_fingerprint() in alarm.text


def test_accepting_needs_its_own_right_and_shows_both_fingerprints(stranger: Device) -> None:
    """It sends the password to whoever holds the new key: not for everybody who may rename a device."""
    url = reverse("admin:inventory_device_accept_host_key", args=[stranger.pk])
    operator = logged_in(make_user("olga", (stranger.tenant, Role.OPERATOR)))
    assert operator.get(url).status_code == 403
    assert operator.post(url, {"confirmed": "yes"}).status_code == 403
    assert operator.get(url.replace("accept", "forget")).status_code == 403

    client = logged_in(make_user("rita", (stranger.tenant, Role.RESTORER)))
    response = client.get(url)
    shown = page(response)
    assert stranger.host_key_fingerprint() in shown
    assert stranger.presented_fingerprint() in shown
    agreed = dict(response.context["hidden"])
    assert client.post(url, agreed).status_code == 302

    device = Device.objects.get()
    assert (device.host_key, device.presented_key) == (stranger.presented_key, "")
    assert not Notice.objects.open_alarms().exists()
    entry = AuditEntry.objects.get()
    assert (entry.by, entry.action) == ("rita", "device.host_key_accepted")
    assert entry.detail == {"old": stranger.host_key_fingerprint(), "new": fingerprint(stranger.presented_key)}


def test_keeping_the_old_key_ends_the_quarantine(stranger: Device) -> None:
    """Somebody in between is gone; the device is what it was."""
    call_command("devices", "host-keys", "keep", "edge1", stdout=StringIO())

    device = Device.objects.get()
    assert (device.host_key, device.presented_key) == (stranger.host_key, "")
    assert AuditEntry.objects.get().action == "device.host_key_kept"


def test_the_command_accepts_only_the_key_that_was_looked_at(stranger: Device) -> None:
    """Between looking and accepting a third key may have come."""
    with pytest.raises(CommandError, match="nothing was accepted"):
        call_command("devices", "host-keys", "accept", "edge1", "--fingerprint", "SHA256:other")
    seen = stranger.presented_fingerprint().split()[1]

    call_command("devices", "host-keys", "accept", "edge1", "--fingerprint", seen, stdout=StringIO())

    assert Device.objects.get().host_key == stranger.presented_key


def test_a_key_that_was_judged_meanwhile_is_not_accepted_again(stranger: Device) -> None:
    """Two people at two screens."""
    accept(stranger, by="ada")

    with pytest.raises(Exception, match="waits to be accepted"):
        accept(stranger, by="olga")
