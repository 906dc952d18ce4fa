"""Secrets that are kept elsewhere: Vault, the environment, files. The Vault is a small one of the test's own, over TLS."""

from __future__ import annotations

import ipaddress
import json
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.conf import LazySettings
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from backups.errors import CredentialUnreachable, NoCredential
from backups.targets import Targets, target_of
from inventory import sources, vault
from inventory.errors import Invalid, SourceRefused, SourceUnreachable
from inventory.models import Credential
from inventory.services import add_credential
from inventory.sources import secrets_of
from tests.factories import make_credential, make_device, make_tenant
from tests.inventory.kit import Role, logged_in, make_user

CANARY = "Canary-vault-5512"


class FakeVault(HTTPServer):
    """Keeps secrets for whoever has the token; gives one out to the AppRole."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.kept: dict[str, dict[str, Any]] = {}
        self.token, self.status, self.asked = "Canary-token", 0, list[str]()

    def handle_error(self, *_: Any) -> None:
        """A client that does not trust us hangs up; that is what it should do."""


class Answers(BaseHTTPRequestHandler):
    """Two of its addresses."""

    server: FakeVault

    def log_message(self, *_: Any) -> None:
        """Silence."""

    def do_GET(self) -> None:
        """One secret."""
        self.server.asked.append(self.path)
        if self.server.status:
            self.say(self.server.status, {"errors": [CANARY]})
        elif self.headers["X-Vault-Token"] != self.server.token:
            self.say(403, {"errors": ["permission denied"]})
        elif self.path not in self.server.kept:
            self.say(404, {"errors": []})
        else:
            self.say(200, {"data": {"data": self.server.kept[self.path], "metadata": {"version": 3}}})

    def do_POST(self) -> None:
        """The AppRole."""
        self.server.asked.append(self.path)
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if sent == {"role_id": "role", "secret_id": "Canary-secret-id"}:
            self.say(200, {"auth": {"client_token": self.server.token, "lease_duration": 3600}})
        else:
            self.say(400, {"errors": ["invalid role or secret ID"]})

    def say(self, status: int, document: dict[str, Any]) -> None:
        """JSON; a redirect leads to this very server, so that following it would work."""
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Location", self.path)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 127.0.0.1, signed by itself, with its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "vault")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("vault") / "cert.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(secret + made.public_bytes(Encoding.PEM))
    return path


@pytest.fixture
def server(certificate: Path, settings: LazySettings) -> Iterator[FakeVault]:
    """One that runs, and that the settings name with a token."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = FakeVault(context)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    address = f"https://127.0.0.1:{server.server_port}"
    settings.NETCAIRN_VAULT = {"address": address, "ca_file": str(certificate), "token": server.token}
    vault.TOKENS.clear()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def credential(db: None) -> Credential:
    """One whose secrets are in Vault."""
    return add_credential(make_tenant("acme-corp"), "lab", "netcairn", {}, source="vault")


PLACE = "/v1/secret/data/netcairn/acme-corp/lab"


def test_a_password_comes_from_vault_and_stays_nowhere(server: FakeVault, credential: Credential) -> None:
    """It is in the memory of whoever asks the device, and in no table, and no text about the credential."""
    server.kept[PLACE] = {"password": CANARY, "enable": "also"}
    device = make_device(credential.tenant, credential=credential)

    target = target_of(device)

    assert (target.password, target.enable_secret, target.private_key) == (CANARY, "also", "")
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(c::text, '') FROM inventory_credential c")
        assert "Canary" not in cursor.fetchone()[0] + repr(target) + repr(sources.vault())


def test_many_devices_ask_vault_once(server: FakeVault, credential: Credential) -> None:
    """Ten thousand devices in a night would be ten thousand requests, and an answer that fails five seconds each."""
    server.kept[PLACE] = {"password": "x"}
    devices = [make_device(credential.tenant, f"edge{n}", credential=credential) for n in range(3)]
    targets, failing = Targets(credential.tenant_id), Targets(credential.tenant_id)

    for device in devices:
        targets.of(device)
    server.status = 503
    for device in devices:
        with pytest.raises(CredentialUnreachable):
            failing.of(device)

    assert server.asked == [PLACE] * 2


def test_an_app_role_logs_in_once_and_again_when_its_token_was_taken_back(
    server: FakeVault, credential: Credential, settings: LazySettings, tmp_path: Path
) -> None:
    """Its login may be good for a few uses only; and an operator may revoke a token at any time."""
    (tmp_path / "id").write_text("Canary-secret-id\n")
    settings.NETCAIRN_VAULT = {
        **settings.NETCAIRN_VAULT,
        "token": "",
        "role_id": "role",
        "secret_id_file": str(tmp_path / "id"),
    }
    server.kept[PLACE] = {"password": "x"}
    secrets_of(credential), secrets_of(credential)
    server.token = "another"

    assert secrets_of(credential)["password"] == "x"
    assert [path.count("login") for path in server.asked] == [1, 0, 0, 0, 1, 0]


@pytest.mark.parametrize(("status", "worth"), [(503, True), (429, True), (500, True), (307, False), (403, False)])
def test_what_vault_says_decides_whether_it_is_tried_again(
    server: FakeVault, credential: Credential, status: int, worth: bool
) -> None:
    """A sealed Vault is opened in a minute, a missing policy is not; and nobody is led elsewhere with the token."""
    server.status = status

    with pytest.raises((SourceRefused, SourceUnreachable)) as refusal:
        secrets_of(credential)

    assert refusal.value.worth_retrying is worth
    assert "Canary" not in str(refusal.value)
    assert len(server.asked) == 1


@pytest.mark.parametrize("kept", [None, {}, {"password": 4}, {"password": ""}])
def test_what_is_not_there_is_said_with_its_place(server: FakeVault, credential: Credential, kept: Any) -> None:
    """The sentence is what somebody types into `vault kv put`."""
    if kept is not None:
        server.kept[PLACE] = kept

    with pytest.raises(NoCredential, match=r"netcairn/acme-corp/lab|is no text"):
        target_of(make_device(credential.tenant, credential=credential))


def test_a_server_that_is_not_trusted_gets_no_token(
    server: FakeVault, credential: Credential, settings: LazySettings
) -> None:
    """Whoever can answer in its place would have every password."""
    settings.NETCAIRN_VAULT = {**settings.NETCAIRN_VAULT, "ca_file": ""}

    with pytest.raises(SourceRefused, match="not trusted"):
        secrets_of(credential)

    assert server.asked == []


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("http://vault.example.net", "https"),
        ("https://169.254.169.254", "no Vault can be"),
        ("https://[::ffff:169.254.169.254]", "no Vault can be"),
        ("https://0.0.0.0", "no Vault can be"),
    ],
)
def test_addresses_where_no_vault_can_be_are_refused(address: str, error: str) -> None:
    """A cloud's metadata answers to anybody who is led there."""
    with pytest.raises(SourceRefused, match=error):
        vault.Vault(address=address, token="x").read("acme", "lab")


def test_a_vault_that_is_gone_is_tried_again(server: FakeVault, credential: Credential, settings: LazySettings) -> None:
    """It is restarted, as everything is."""
    with ssl.SSLSocket.__mro__[1]() as free:
        free.bind(("127.0.0.1", 0))
        settings.NETCAIRN_VAULT = {"address": f"https://127.0.0.1:{free.getsockname()[1]}", "token": "x"}
        with pytest.raises(SourceUnreachable, match="cannot be reached"):
            secrets_of(credential)


# The environment and files


@pytest.mark.django_db
def test_the_environment_is_read_when_a_device_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not when the program starts, and not once and for all."""
    one = add_credential(make_tenant("acme-corp"), "lab", "netcairn", {}, source="environment", there="core.1")
    monkeypatch.setenv("NETCAIRN_CREDENTIAL_ACME_2DCORP__CORE_2E1__PASSWORD", CANARY)

    assert secrets_of(one)["password"] == CANARY
    assert "NETCAIRN_CREDENTIAL_ACME_2DCORP__CORE_2E1__PASSWORD" in sources.where(one)


def test_no_two_tenants_share_a_variable() -> None:
    """`a-b` and `a_b` are two customers; and no name of a credential reaches into another tenant's."""
    pairs = [
        ("a-b", "c"),
        ("a_b", "c"),
        ("a.b", "c"),
        ("a", "b-c"),
        ("a", "b__c"),
        ("a__b", "c"),
        ("a_", "_b"),
        ("a", "b"),
    ]

    assert len({sources.variable(tenant, name, "PASSWORD") for tenant, name in pairs}) == len(pairs)


@pytest.mark.django_db
def test_files_are_read_as_kubernetes_lays_them_out(settings: LazySettings, tmp_path: Path) -> None:
    """A directory for each tenant and credential; and a link to the server's own keys is not followed."""
    settings.NETCAIRN_CREDENTIALS_DIR = str(tmp_path)
    place = tmp_path / "acme" / "lab"
    place.mkdir(parents=True)
    (place / "password").write_text(f" {CANARY} \n")
    (tmp_path / "secrets.keys").write_text("the keys of this server")
    one = add_credential(make_tenant("acme"), "lab", "netcairn", {}, source="files")

    assert secrets_of(one)["password"] == f" {CANARY} "
    (place / "enable").symlink_to(tmp_path / "secrets.keys")
    with pytest.raises(SourceRefused, match="leads out"):
        secrets_of(one)


@pytest.mark.django_db
def test_a_name_cannot_climb_out_of_the_tenants_place() -> None:
    """Of all that makes up the place, only this is typed in by a tenant."""
    tenant = make_tenant("acme")

    for name in ("../globex/lab", "a/b", "..", "a%2fb", "a b"):
        with pytest.raises(Invalid):
            add_credential(tenant, "lab", "netcairn", {}, source="files", there=name)


# Pages and commands


@pytest.mark.django_db
def test_nothing_is_stored_of_what_is_kept_elsewhere(settings: LazySettings) -> None:
    """Not what was stored before, not what is entered by mistake, and not by any other way into the table."""
    tenant = make_tenant("acme")
    settings.NETCAIRN_VAULT = {"address": "https://192.0.2.1", "token": "x"}
    one = make_credential(tenant)
    one.set_password("before")
    one.save()
    boss = logged_in(make_user("boss", (tenant, Role.ADMINISTRATOR)))
    form = {"name": "lab", "username": "netcairn", "source": "vault", "source_name": ""}
    address = f"/admin/inventory/credential/{one.pk}/change/"

    mistaken = boss.post(address, {**form, "password": CANARY})
    moved = boss.post(address, form)

    one.refresh_from_db()
    assert "kept elsewhere" in mistaken.content.decode() and "Canary" not in mistaken.content.decode()
    assert moved.status_code == 302
    assert (one.source, bytes(one.password_sealed)) == ("vault", b"")
    assert "secret/netcairn/acme/lab" in boss.get("/admin/inventory/credential/").content.decode()
    with pytest.raises(IntegrityError), transaction.atomic():
        Credential.objects.update(password_sealed=b"x")


@pytest.mark.django_db
def test_a_source_that_this_server_does_not_know_is_refused_on_the_page(settings: LazySettings) -> None:
    """And not at night, by every device."""
    tenant = make_tenant("acme")
    boss = logged_in(make_user("boss", (tenant, Role.ADMINISTRATOR)))

    form = {"tenant": str(tenant.pk), "name": "lab", "username": "netcairn", "source": "vault"}
    answer = boss.post("/admin/inventory/credential/add/", form)

    assert "knows no Vault" in answer.content.decode()
    assert not Credential.objects.exists()


@pytest.mark.django_db
def test_a_command_adds_one(capsys: Any) -> None:
    """Without a question for a password."""
    make_tenant("acme")

    call_command("credential", "add", "lab", "--tenant", "acme", "--username", "n", "--source", "environment")

    assert Credential.objects.get().source == "environment"
