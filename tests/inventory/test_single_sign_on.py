"""Single sign-on, against a small OpenID Connect provider of the test's own."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client

from config import conf
from inventory.audit import AuditEntry
from inventory.models import Membership
from tests.factories import make_tenant
from tests.inventory.kit import Role, make_user
from tests.inventory.test_login import is_in, told

pytestmark = pytest.mark.django_db
SECRET = "Canary-client-7710"


class Provider(HTTPServer):
    """Knows one person, gives out codes and trades them for tokens."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.person: dict[str, Any] = {}
        self.challenge = self.down = ""

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answers(BaseHTTPRequestHandler):
    """Its three addresses."""

    server: Provider

    def log_message(self, *_: Any) -> None:
        """Silence."""

    def do_GET(self) -> None:
        """What it can do, and who somebody is."""
        issuer = self.server.issuer
        if self.path.endswith("openid-configuration") and not self.server.down:
            ends = {f"{name}_endpoint": f"{issuer}/{name}" for name in ("authorization", "token", "userinfo")}
            self.say(200, {"issuer": issuer, "jwks_uri": f"{issuer}/keys", **ends})
        elif self.path == "/userinfo" and self.headers["Authorization"] == "Bearer Canary-token":
            self.say(200, self.server.person)
        else:
            self.say(500, {})

    def do_POST(self) -> None:
        """A code against tokens, for whoever knows the secret and what the code was asked with."""
        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        proof = hashlib.sha256(sent["code_verifier"][0].encode()).digest()
        given = base64.urlsafe_b64encode(proof).rstrip(b"=").decode()
        if sent["client_secret"] != [SECRET] or given != self.server.challenge or sent["code"] != ["code"]:
            self.say(401, {"error": "invalid_grant"})
            return
        about = {"iss": self.server.issuer, "aud": "netcairn", "exp": time.time() + 60, "iat": time.time()}
        token = jwt.encode({**about, **self.server.person}, "k" * 32, algorithm="HS256")
        self.say(200, {"access_token": "Canary-token", "token_type": "Bearer", "id_token": token})

    def say(self, status: int, document: dict[str, Any]) -> None:
        """JSON."""
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def provider(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """One that runs, and that the environment names."""
    provider = Provider()
    monkeypatch.setenv("NETCAIRN_OIDC_ISSUER", provider.issuer)
    monkeypatch.setenv("NETCAIRN_OIDC_CLIENT_ID", "netcairn")
    monkeypatch.setenv("NETCAIRN_OIDC_CLIENT_SECRET", SECRET)
    settings.SOCIALACCOUNT_PROVIDERS = conf.single_sign_on()
    thread = Thread(target=provider.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield provider
    provider.shutdown()
    thread.join()
    provider.server_close()


def sign_on(client: Client, provider: Provider, code: str = "code", **person: Any) -> Any:
    """The whole way: our page, theirs, and back; the last answer."""
    provider.person = {"sub": "4711", **person}
    sent = client.post("/admin/login/at/sso/")
    asked = parse_qs(urlsplit(sent["Location"]).query)
    provider.challenge = asked["code_challenge"][0]
    assert asked["redirect_uri"] == ["http://testserver/admin/login/at/sso/back/"]
    return client.get("/admin/login/at/sso/back/", {"code": code, "state": asked["state"][0]}, follow=True)


ADA = {"email": "ada@example.net", "email_verified": True, "preferred_username": "ada.l"}


def test_somebody_new_comes_in_and_has_no_rights(provider: Provider) -> None:
    """The provider says who somebody is, and nothing about what they may do here."""
    client = Client()

    sign_on(client, provider, **ADA)

    person = User.objects.get()
    assert is_in(client)
    assert (person.username, person.is_staff, person.is_superuser, person.has_usable_password()) == (
        "ada.l",
        True,
        False,
        False,
    )
    assert not person.get_all_permissions() and not Membership.objects.exists()
    assert list(AuditEntry.objects.of(None).values_list("action", flat=True)) == ["user.made_by_provider", "login.done"]


def test_somebody_known_is_known_again_whatever_their_address_becomes(provider: Provider) -> None:
    """By an address that is vouched for, the first time; by the provider's own id from then on."""
    ada = make_user("ada", (make_tenant("acme"), Role.RESTORER), email="Ada@example.net")
    sign_on(Client(), provider, **ADA)
    client = Client()

    sign_on(client, provider, email="married@example.net", email_verified=True)

    assert client.session["_auth_user_id"] == str(ada.pk)
    assert User.objects.count() == 1


@pytest.mark.parametrize("vouched", [False, None, "false", "true"])
def test_an_address_that_nobody_vouches_for_opens_no_account(provider: Provider, vouched: Any) -> None:
    """Anybody can write the administrator's address into a profile."""
    make_user("root", email="ada@example.net", is_superuser=True)
    client = Client()

    answer = sign_on(client, provider, **{**ADA, "email_verified": vouched})

    assert "does not vouch" in told(answer)
    assert (is_in(client), User.objects.count()) == (False, 1)


def test_where_none_are_made_a_stranger_is_told_so(provider: Provider, settings: LazySettings) -> None:
    """Some want to know of every account before it is there."""
    settings.NETCAIRN_OIDC_CREATE = False
    client = Client()

    answer = sign_on(client, provider, **ADA)

    assert "does not know you yet" in told(answer)
    assert not User.objects.exists()


def test_who_has_a_second_factor_here_is_asked_for_it_here(provider: Provider) -> None:
    """Or single sign-on would be the way around it."""
    from tests.inventory.test_login import logged_in, with_app

    with_app(logged_in(make_user("ada", email="ada@example.net")))
    client = Client()

    answer = sign_on(client, provider, **ADA)

    assert answer.redirect_chain[-1][0] == "/admin/login/code/"
    assert not is_in(client)


def test_a_wrong_code_or_a_provider_that_is_down_is_a_sentence(provider: Provider, caplog: Any) -> None:
    """Without the provider's own words, which may hold a token; and passwords go on working beside it."""
    client = Client()
    refused = sign_on(client, provider, code="stolen", **ADA)
    provider.down = "yes"

    down = client.post("/admin/login/at/sso/", follow=True)

    for answer in (refused, down):
        assert "did not come about" in told(answer)
    assert "Canary" not in caplog.text + told(refused)


def test_no_get_begins_anything_and_no_foreign_state_ends_it(provider: Provider) -> None:
    """A picture in a mail must not log anybody in as somebody else."""
    begun = Client().get("/admin/login/at/sso/")
    forced = Client().get("/admin/login/at/sso/back/", {"code": "code", "state": "made-up"}, follow=True)

    assert begun.status_code == 200
    assert "did not come about" in told(forced)
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"NETCAIRN_OIDC_ISSUER": "http://id.example.net"}, "https"),
        ({"NETCAIRN_OIDC_ISSUER": "https://id.example.net", "NETCAIRN_OIDC_CLIENT_SECRET": ""}, "CLIENT_SECRET"),
    ],
)
def test_half_a_provider_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], said: str
) -> None:
    """Not at the first login."""
    for name, value in {"NETCAIRN_OIDC_CLIENT_ID": "x", "NETCAIRN_OIDC_CLIENT_SECRET": "y", **variables}.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(conf.BadEnvironment, match=said):
        conf.single_sign_on()
