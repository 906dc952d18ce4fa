"""Coming in: locks, second factors, and what a tenant may demand."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import struct
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, TestCase
from fido2 import cbor
from fido2.cose import ES256

from inventory import lockouts
from inventory.audit import AuditEntry
from inventory.lockouts import Lockout
from inventory.login import services
from inventory.models import Tenant
from inventory.roles import may, tenants_with
from inventory.services import rotate_secrets
from tests.factories import make_tenant
from tests.inventory.kit import Role, logged_in, make_user, new_key, page
from tests.sampling import sampled

pytestmark = pytest.mark.django_db
LOGIN = "/admin/login/"
PASSWORD = "a long enough password"
PUSH = "checkpoints.push_restore"


def try_in(client: Client, name: str, password: str = PASSWORD, **more: Any) -> Any:
    """Send the form of the login page."""
    return client.post(LOGIN, {"username": name, "password": password, "next": "/admin/"}, **more)


def is_in(client: Client) -> bool:
    """Whether the site knows who it is."""
    return client.get("/admin/password_change/").status_code == 200


def told(response: Any) -> str:
    """What the page says went wrong."""
    return re.sub(r"\s+", " ", response.content.decode())


def actions() -> list[str]:
    """What the audit log has of logins, oldest first."""
    return list(AuditEntry.objects.of(None).values_list("action", flat=True))


def code_of(secret: str) -> str:
    """What an authenticator app shows now."""
    counter = next(iter(yield_hotp_counters_from_time()))
    return format_hotp_value(hotp_value(secret, counter))


def with_app(client: Client, password: str = PASSWORD) -> str:
    """Set up an authenticator app as a person does; gives back its secret."""
    client.post("/admin/login/again/", {"password": password})
    shown = client.get("/admin/second-factor/app/")
    secret: str = shown.context["form"].secret
    with TestCase.captureOnCommitCallbacks(execute=True):
        client.post("/admin/second-factor/app/", {"code": code_of(secret)})
    return secret


# The door


def test_a_password_opens_and_is_written_down() -> None:
    """Who came in, from where, and who tried to: the first questions after something happened."""
    make_user("ada")
    client = Client()

    wrong = try_in(client, "ada", "not hers")
    right = try_in(client, "ada")

    assert "Wrong username or password" in told(wrong)
    assert (right.status_code, right["Location"], is_in(client)) == (302, "/admin/", True)
    client.post("/admin/logout/")
    assert actions() == ["login.failed", "login.done", "login.ended"]
    assert not is_in(client)


def test_a_password_in_the_wrong_box_is_kept_nowhere() -> None:
    """People type their password where the name belongs; the log cannot be cleaned of it afterwards."""
    try_in(Client(), "Canary-9051", "x")

    with connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT string_agg(e::text, '') FROM inventory_auditentry e)")
        log = cursor.fetchone()[0]
    assert "Canary" not in log + str(list(Lockout.objects.values()))


def test_nobody_registers_and_nobody_stays_without_being_staff() -> None:
    """An account that may not use the admin would be sent to and fro for ever."""
    User.objects.create_user("guest", password=PASSWORD)
    client = Client()

    refused = try_in(client, "guest", follow=True)

    assert "may not use Netcairn" in told(refused)
    assert client.get("/admin/signup/").status_code in (302, 404)
    assert not is_in(client)


def test_an_account_that_was_closed_is_told_nothing() -> None:
    """Not even that the password was right."""
    make_user("ada")
    User.objects.update(is_active=False)

    assert "Wrong username or password" in told(try_in(Client(), "ada", follow=True))


# The lock


def test_an_account_that_is_guessed_at_is_locked_everywhere(settings: LazySettings) -> None:
    """From another address as well, with the right password as well, and in a sentence that says what helps."""
    make_user("ada")
    for at in range(Lockout.LIMITS[Lockout.Kind.ACCOUNT]):
        try_in(Client(REMOTE_ADDR=f"192.0.2.{at}"), "ada", "guessed")

    refused = try_in(Client(REMOTE_ADDR="192.0.2.99"), "ada")

    assert "Too many failed logins. Try again in 15 minutes" in told(refused)
    assert actions()[-1] == "login.locked"


def test_a_name_that_nobody_has_is_locked_alike() -> None:
    """Otherwise the lock would tell which names there are."""
    make_user("ada")
    answers = {}
    for name in ("ada", "nobody"):
        for at in range(6):
            answers[name] = told(try_in(Client(REMOTE_ADDR=f"192.0.2.{at}"), name, "guessed")).replace(name, "")

    strip = re.compile(r'value="[^"]*"|nonce-\S+')
    assert strip.sub("", answers["ada"]) == strip.sub("", answers["nobody"])


def test_an_address_that_tries_many_names_is_locked() -> None:
    """One password tried on everybody never reaches any account's limit."""
    for at in range(Lockout.LIMITS[Lockout.Kind.ADDRESS]):
        lockouts.count_failure(f"name{at}", "192.0.2.7", now=lockouts.timezone.now())
    make_user("ada")

    assert "Too many failed logins" in told(try_in(Client(REMOTE_ADDR="192.0.2.7"), "ada"))
    assert is_in_after(Client(REMOTE_ADDR="192.0.2.8"))


def is_in_after(client: Client) -> bool:
    """Whether ada comes in from here."""
    try_in(client, "ada")
    return is_in(client)


def test_behind_a_proxy_of_ours_the_guesser_is_locked_and_not_the_proxy(settings: LazySettings) -> None:
    """Everybody comes from the proxy's address; and what a client itself writes into the header counts for nothing."""
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    make_user("ada")

    try_in(Client(HTTP_X_FORWARDED_FOR="198.51.100.1, 192.0.2.66"), "ada", "guessed")

    assert Lockout.objects.get(kind="address").name == "192.0.2.66"


def test_guesses_long_apart_are_not_counted_together_and_locks_end() -> None:
    """A person who mistypes once a week is never locked out."""
    start = lockouts.timezone.now()
    for hours in range(10):
        assert not lockouts.count_failure("ada", "192.0.2.1", now=start + timedelta(hours=hours))
    for _ in range(5):
        lockouts.count_failure("bob", "192.0.2.2", now=start)

    assert lockouts.locked_until("bob", "", now=start + timedelta(minutes=14))
    assert not lockouts.locked_until("bob", "", now=start + timedelta(minutes=16))


def test_an_administrator_lifts_a_lock() -> None:
    """At three in the morning nobody waits a quarter of an hour."""
    make_user("ada")
    for _ in range(5):
        try_in(Client(), "ada", "guessed")
    root = logged_in(make_user("root", is_superuser=True))
    row = Lockout.objects.get(kind="account")
    shown = page(root.get(f"/admin/inventory/lockout/{row.pk}/lift/"))
    fingerprint = re.search(r'name="fingerprint" value="(\w+)"', shown).group(1)

    root.post(f"/admin/inventory/lockout/{row.pk}/lift/", {"confirmed": "yes", "fingerprint": fingerprint})

    assert is_in_after(Client())
    assert "login.lock_lifted" in actions()


# The second factor


def test_an_app_is_asked_for_at_the_next_login_and_no_code_serves_twice() -> None:
    """Who reads a code over a shoulder, or off the wire, comes too late."""
    client = logged_in(make_user("ada"))
    secret = with_app(client)
    one, other = Client(), Client()
    code = code_of(secret)

    assert try_in(one, "ada")["Location"] == "/admin/login/code/"
    assert not is_in(one)
    wrong = one.post("/admin/login/code/", {"code": "000000"})
    in_by_code = one.post("/admin/login/code/", {"code": code})
    try_in(other, "ada")
    again = other.post("/admin/login/code/", {"code": code})

    assert "Incorrect code" in told(wrong)
    assert (in_by_code.status_code, is_in(one)) == (302, True)
    assert (again.status_code, is_in(other)) == (200, False)
    assert {"second_factor.added", "login.failed"} <= set(actions())


def test_codes_are_not_guessed_either() -> None:
    """A million codes are few for a program; the lock of the account stops it, also with the right one."""
    secret = with_app(logged_in(make_user("ada")))
    client = Client()
    try_in(client, "ada")
    for _ in range(5):
        client.post("/admin/login/code/", {"code": "000000"})

    refused = client.post("/admin/login/code/", {"code": code_of(secret)})

    assert "Too many failed logins" in told(refused)
    assert not is_in(client)


def test_a_recovery_code_opens_once() -> None:
    """The phone is in the river; the sheet of paper is in the drawer."""
    with_app(logged_in(make_user("ada")))
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    first, second = Client(), Client()
    for client in (first, second):
        try_in(client, "ada")
        client.post("/admin/login/code/", {"code": codes[0]})

    assert (is_in(first), is_in(second)) == (True, False)


def test_secrets_of_second_factors_are_sealed_and_the_old_key_can_go(settings: LazySettings) -> None:
    """Who has a dump of the database must not have everybody's second factor; and its key changes as the others do."""
    old, new = new_key(), new_key()
    settings.NETCAIRN_SECRETS_KEYS = [old]
    secret = with_app(logged_in(make_user("ada")))
    assert secret not in str(list(Authenticator.objects.values()))
    settings.NETCAIRN_SECRETS_KEYS = [new, old]

    rotation = rotate_secrets()

    settings.NETCAIRN_SECRETS_KEYS = [new]
    assert rotation.resealed == 2
    assert Authenticator.objects.get(type="totp").wrap().validate_code(code_of(secret))


def test_a_look_at_recovery_codes_changes_nothing() -> None:
    """A browser that fetches ahead must not use up the only look; and the password is asked for before each."""
    client = logged_in(make_user("ada"))
    with_app(client)
    before = list(Authenticator.objects.order_by("pk").values())
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()

    looks = [page(client.get("/admin/second-factor/codes/")) for _ in range(2)]

    assert [codes[0] in look for look in looks] == [True, True]
    assert list(Authenticator.objects.order_by("pk").values()) == before
    asked = logged_in(User.objects.get()).get("/admin/second-factor/codes/")
    assert asked["Location"].startswith("/admin/login/again/")


class SecurityKey:
    """A security key in software: what a browser's WebAuthn calls give back."""

    def __init__(self, host: str = "testserver") -> None:
        self.key, self.id, self.host, self.count = ec.generate_private_key(ec.SECP256R1()), os.urandom(16), host, 0

    def about(self, challenge: str, kind: str) -> bytes:
        """What the browser signs along."""
        return json.dumps({"type": kind, "challenge": challenge, "origin": f"http://{self.host}"}).encode()

    def data(self, *, registered: bool = False) -> bytes:
        """Authenticator data, flags: user present and verified, and whether a key is enclosed."""
        self.count += 1
        head = hashlib.sha256(self.host.encode()).digest() + struct.pack(">BI", 0x45 if registered else 5, self.count)
        if not registered:
            return head
        public = cbor.encode(dict(ES256.from_cryptography_key(self.key.public_key())))
        return head + bytes(16) + struct.pack(">H", len(self.id)) + self.id + public

    def registered(self, options: dict[str, Any]) -> str:
        """navigator.credentials.create"""
        told = self.about(options["publicKey"]["challenge"], "webauthn.create")
        sealed = cbor.encode({"fmt": "none", "attStmt": {}, "authData": self.data(registered=True)})
        return self.answer(clientDataJSON=told, attestationObject=sealed)

    def signed(self, options: dict[str, Any]) -> str:
        """navigator.credentials.get"""
        told = self.about(options["publicKey"]["challenge"], "webauthn.get")
        data = self.data()
        signature = self.key.sign(data + hashlib.sha256(told).digest(), ec.ECDSA(hashes.SHA256()))
        return self.answer(clientDataJSON=told, authenticatorData=data, signature=signature)

    def answer(self, **parts: bytes) -> str:
        """As JSON with URL-safe base64."""
        one = websafe(self.id)
        response = {name: websafe(value) for name, value in parts.items()}
        return json.dumps(
            {"id": one, "rawId": one, "type": "public-key", "response": response, "clientExtensionResults": {}}
        )


def websafe(data: bytes) -> str:
    """URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def with_key(client: Client) -> SecurityKey:
    """Add a security key as a person does."""
    key = SecurityKey()
    client.post("/admin/login/again/", {"password": PASSWORD})
    asked = client.get("/admin/second-factor/keys/add/").context["js_data"]["creation_options"]
    client.post("/admin/second-factor/keys/add/", {"name": "blue", "credential": key.registered(asked)})
    return key


def test_a_security_key_opens_and_another_does_not() -> None:
    """It cannot be read off, mistyped or talked out of anybody."""
    client = logged_in(make_user("ada"))
    key = with_key(client)
    mine, stolen = Client(), Client()

    for one, its in ((mine, key), (stolen, SecurityKey())):
        try_in(one, "ada")
        asked = one.get("/admin/login/code/").context["js_data"]["request_options"]
        one.post("/admin/login/code/", {"credential": its.signed(asked)})

    assert (is_in(mine), is_in(stolen)) == (True, False)
    assert "blue" in page(client.get("/admin/second-factor/keys/"))


def test_an_open_session_cannot_take_the_second_factor_away() -> None:
    """Somebody at a desk that was left: the password is asked for first, and guesses at it are counted."""
    client = logged_in(make_user("ada"))
    with_app(client)
    client.logout()
    client.force_login(User.objects.get())

    refused = client.post("/admin/second-factor/app/remove/")
    client.post("/admin/login/again/", {"password": "guessed"})

    assert refused["Location"].startswith("/admin/login/again/")
    assert Authenticator.objects.filter(type="totp").exists()
    assert Lockout.objects.get(kind="account").failures == 1


def test_an_administrator_takes_a_lost_second_factor_away() -> None:
    """And that is written down: it is also how an account is taken over."""
    ada = make_user("ada")
    with_app(logged_in(ada))
    root = logged_in(make_user("root", is_superuser=True))
    address = f"/admin/auth/user/{ada.pk}/take_second_factor/"
    shown = page(root.get(address))
    fingerprint = re.search(r'name="fingerprint" value="(\w+)"', shown).group(1)

    root.post(address, {"confirmed": "yes", "fingerprint": fingerprint, "answer-typed": "ada"})

    assert not Authenticator.objects.exists()
    assert "second_factor.taken" in actions()


@pytest.mark.parametrize(
    "address",
    sampled(
        [
            LOGIN,
            "/admin/second-factor/",
            "/admin/login/again/",
            "/admin/login/again/code/",
            "/admin/login/again/key/",
            "/admin/second-factor/app/",
            "/admin/second-factor/app/remove/",
            "/admin/second-factor/codes/",
            "/admin/second-factor/codes/new/",
            "/admin/second-factor/keys/",
            "/admin/second-factor/keys/add/",
        ],
        (LOGIN, "/admin/login/again/", "/admin/second-factor/app/", "/admin/second-factor/keys/add/"),
    ),
)
def test_pages_of_the_login_stand_in_the_frame_and_ask_nobody_else(address: str) -> None:
    """The theme's styles, our colours, no script inside the page, no other host."""
    ada = make_user("ada")
    client = logged_in(ada)
    if address not in (LOGIN, "/admin/second-factor/app/"):
        with_app(client)
    if "again/key" in address:
        with_key(client)
    if address == LOGIN:
        client = Client()
    client.post("/admin/login/again/", {"password": PASSWORD})

    shown = client.get(address)

    text = page(shown)
    assert "unfold/css/styles" in text and "netcairn/netcairn" in text
    assert re.findall(r"https?://(?!www\.w3\.org)[^\s\"'<]+", text) == []
    assert re.findall(r"<script(?![^>]*(?:src=|application/json))", text) == []
    assert re.findall(r"\son\w+=", text) == []
    assert "script-src 'self' 'unsafe-eval';" in shown["Content-Security-Policy"]


# What a tenant demands


@pytest.fixture
def strict(db: None) -> Tenant:
    """A tenant that wants a second factor of its restorers."""
    tenant = make_tenant("strict")
    services.set_demand(tenant, True, by="test")
    return tenant


@pytest.mark.parametrize("how", ["role", "permission", "superuser"])
def test_a_demanding_tenant_withholds_the_right_itself(strict: Tenant, how: str) -> None:
    """Whoever gave it, and wherever it is asked for: by page, address, `has_perm` or list of tenants."""
    lax = make_tenant("lax")
    role = Role.RESTORER if how == "role" else Role.AUDITOR
    given = (PUSH,) if how == "permission" else ()
    user = make_user("ada", (strict, role), (lax, role), permissions=given, is_superuser=how == "superuser")

    assert not may(user, PUSH, strict.pk)
    assert may(user, PUSH, lax.pk)
    assert list(tenants_with(user, PUSH)) == [lax]
    assert may(user, "inventory.view_device", strict.pk)
    with_app(logged_in(user))
    assert may(User.objects.get(pk=user.pk), PUSH, strict.pk)


def test_who_lacks_a_second_factor_is_led_to_it_at_login(strict: Tenant) -> None:
    """Not in the middle of an outage, when the restore is wanted."""
    make_user("ada", (strict, Role.RESTORER))
    client = Client()

    response = try_in(client, "ada", follow=True)

    assert response.redirect_chain[-1][0] == "/admin/second-factor/"
    assert "strict wants a second factor" in told(response)


def test_the_demand_is_not_lifted_by_whom_it_shuts_out(strict: Tenant) -> None:
    """A tenant's administrator without one could otherwise take the demand away and go on."""
    boss = make_user("boss", (strict, Role.ADMINISTRATOR))
    client = logged_in(boss)
    address = f"/admin/inventory/tenant/{strict.pk}/change_second_factor/"

    shut_out = client.get(address)
    with_app(client)
    shown = page(client.get(address))
    fingerprint = re.search(r'name="fingerprint" value="(\w+)"', shown).group(1)
    client.post(address, {"confirmed": "yes", "fingerprint": fingerprint})

    assert (shut_out.status_code, shut_out["Location"]) == (302, "/admin/second-factor/")
    assert not Tenant.objects.get().second_factor
    assert AuditEntry.objects.filter(tenant=strict, action="second_factor.demand").count() == 2
