"""Mirrors: real git over file://, SSH and HTTPS, and what becomes of what others put there."""

from __future__ import annotations

import asyncio
import base64
import os
import shlex
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncssh
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import LazySettings
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from backups.mirrors import address, login
from backups.mirrors.models import Mirror, MirroredRef
from backups.mirrors.pushing import DIVERGED, FAILING, LATE, Outcome, push_mirror, record, watch
from backups.mirrors.refs import Move, compare
from backups.mirrors.services import add_mirror
from backups.models import Repository
from backups.remote.errors import RemoteRefused
from backups.store import git as doorway
from backups.store import layout
from backups.store.reader import open_store
from backups.store.writer import RefMove, move_refs
from inventory.audit import AuditEntry
from inventory.errors import Invalid
from inventory.models import Device, Tenant
from inventory.notices import Notice
from inventory.services import add_credential
from tests.backups.ssh_server import bare_server
from tests.backups.store_kit import back_up, git, kept, refs_of, repository
from tests.inventory.kit import Role, logged_in, make_user, page, ssh_key

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOKEN = "Canary-token-7731"
PIN = "refs/checkpoints/7f2c1f3e-9d2f-4d61-9f0d-3a3a3a3a3a3a"


@pytest.fixture
def elsewhere(tmp_path: Path, settings: LazySettings) -> Path:
    """An empty bare repository that a mirror may be."""
    settings.NETCAIRN_MIRRORS_DIR = tmp_path / "elsewhere"
    settings.NETCAIRN_VAR = tmp_path
    path = tmp_path / "elsewhere" / "acme.git"
    path.mkdir(parents=True)
    git(path, "init", "--quiet", "--bare", "--initial-branch=main")
    return path


@pytest.fixture
def mirror(device: Device, elsewhere: Path) -> Mirror:
    """A mirror of a tenant that has one version."""
    back_up(kept(device))
    return add_mirror(device.tenant, "copy", url=f"file://{elsewhere}", credential=None, by="ada")


def head(tenant: Tenant) -> str:
    """The newest commit that is kept."""
    return str(Repository.objects.get(pk=tenant.pk).head)


def strange_commit(path: Path, ref: str = "refs/heads/main") -> str:
    """Somebody else writes to the mirror."""
    person = ["-c", "user.name=x", "-c", "user.email=x@example.net"]
    made = subprocess.run(["git", "-C", path, "mktree"], input=b"", capture_output=True, check=True)
    tree = made.stdout.decode().strip()
    commit = git(path, *person, "commit-tree", "-m", "mine", tree)
    git(path, "update-ref", ref, commit)
    return commit


@pytest.mark.parametrize(
    "text",
    [
        "git@github.com:acme/x.git",
        "http://git.example.net/x.git",
        "ext::sh -c id",
        "https://ada:secret@git.example.net/x.git",
        "ssh://-oProxyCommand=id/x.git",
        "https://git.example.net/../x.git",
        "https://git.example.net/x.git?y",
        "ssh://git.example.net/x';id'",
        "file://host/x",
        "https://git.example.net",
        "https://git.example.net:99999/x",
    ],
)
def test_an_address_that_git_would_read_otherwise_is_refused(text: str) -> None:
    """It becomes an argument of git and of ssh, both of which run programs when told to."""
    with pytest.raises(RemoteRefused):
        address.read(text)


def test_an_address_is_put_together_from_its_parts() -> None:
    """The user comes from the credential; a password never gets in."""
    assert address.read("ssh://git.example.net:2222/~/x.git").url("git") == "ssh://git@git.example.net:2222/~/x.git"
    assert address.read("https://[2001:db8::1]/x.git").url("git") == "https://[2001:db8::1]/x.git"


IDS = st.sampled_from(["a" * 40, "b" * 40, "c" * 40])
REFS = st.dictionaries(st.sampled_from([layout.MAIN, "refs/epochs/1", PIN, "refs/heads/other"]), IDS)


@given(REFS, REFS, REFS)
def test_nothing_that_we_did_not_put_there_is_moved_before_it_is_kept(
    here: dict[str, str], pushed: dict[str, str], there: dict[str, str]
) -> None:
    """The one rule that a mirror must not break, whatever three states it meets."""
    here.pop("refs/heads/other", None)

    plan = compare(here, {ref: frozenset([one]) for ref, one in pushed.items()}, there)

    for move in plan.moves:
        assert move.old == there.get(move.ref)  # the lease
        assert move.old in (None, pushed.get(move.ref)) or plan.foreign[move.ref] == move.old
        assert move.new == here.get(move.ref)
    assert {**plan.same, **{one.ref: one.new for one in plan.moves if one.new}} == here


def test_a_mirror_gets_everything_and_follows(mirror: Mirror, device: Device, elsewhere: Path) -> None:
    """Record, epochs and checkpoints, and what goes here goes there."""
    store = open_store(mirror.tenant_id)
    move_refs(store.git, [RefMove(PIN, head(device.tenant), None)])
    push_mirror(mirror, now=NOW)
    assert refs_of(elsewhere) == {layout.MAIN: head(device.tenant), PIN: head(device.tenant)}

    back_up(kept(device, b"hostname edge2\nend\n"))
    move_refs(store.git, [RefMove(PIN, None, None)])
    outcome = push_mirror(mirror, now=NOW)

    mirror.refresh_from_db()
    assert outcome is not None and (outcome.pushed, outcome.trouble) == (2, "")
    assert refs_of(elsewhere) == {layout.MAIN: head(device.tenant)}
    assert (mirror.seq, mirror.same_at, mirror.trouble) == (2, NOW, "")
    assert git(elsewhere, "show", f"main:devices/{device.pk.hex[:2]}/{device.pk}/running.cfg") == "hostname edge2\nend"
    assert list(MirroredRef.objects.values_list("ref", "commit", "trying")) == [(layout.MAIN, head(device.tenant), "")]


def test_what_somebody_else_pushed_is_kept_there_and_told(mirror: Mirror, device: Device, elsewhere: Path) -> None:
    """Never overwritten silently, and never a reason to stand still."""
    push_mirror(mirror, now=NOW)
    foreign = strange_commit(elsewhere)
    theirs = strange_commit(elsewhere, "refs/heads/theirs")

    push_mirror(mirror, now=NOW)

    assert refs_of(elsewhere) == {
        layout.MAIN: head(device.tenant),
        layout.quarantine_ref(foreign): foreign,
        "refs/heads/theirs": theirs,
    }
    assert foreign in Notice.objects.open_alarms().get(code=DIVERGED).text
    assert foreign not in git(repository(device.tenant), "cat-file", "--batch-all-objects", "--batch-check")


def test_what_cannot_be_kept_aside_is_left_and_the_rest_goes_on(
    mirror: Mirror, device: Device, elsewhere: Path
) -> None:
    """A server that takes no other refs: the alarm says so, checkpoints are still pushed, nothing is written over."""
    push_mirror(mirror, now=NOW)
    foreign = strange_commit(elsewhere)
    hook = elsewhere / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\ncase "$1" in refs/quarantine/*) exit 1;; esac\n')
    hook.chmod(0o755)
    move_refs(open_store(mirror.tenant_id).git, [RefMove(PIN, head(device.tenant), None)])

    push_mirror(mirror, now=NOW)

    mirror.refresh_from_db()
    assert refs_of(elsewhere) == {layout.MAIN: foreign, PIN: head(device.tenant)}
    assert "Nothing was written over" in Notice.objects.open_alarms().get(code=DIVERGED).text
    assert mirror.failures == 1 and mirror.next_at == NOW + timedelta(minutes=1)


def test_a_push_that_was_cut_off_is_known_for_ours(mirror: Mirror, device: Device, elsewhere: Path) -> None:
    """The remote has it, we never heard, and the record has gone on since: that is no stranger."""
    push_mirror(mirror, now=NOW)
    back_up(kept(device, b"hostname edge2\nend\n"))
    MirroredRef.objects.update(trying=head(device.tenant))
    subprocess.run(
        ["git", "-C", repository(device.tenant), "-c", "protocol.allow=always", "push", "-q", elsewhere, "main"],
        check=True,
    )
    back_up(kept(device, b"hostname edge3\nend\n"))

    outcome = push_mirror(mirror, now=NOW)

    assert outcome is not None and not outcome.kept
    assert refs_of(elsewhere) == {layout.MAIN: head(device.tenant)}


def test_a_repository_of_others_is_not_written_to(mirror: Mirror, elsewhere: Path) -> None:
    """A slip in an address must not end up in another project."""
    foreign = strange_commit(elsewhere)

    push_mirror(mirror, now=NOW)

    mirror.refresh_from_db()
    assert refs_of(elsewhere) == {layout.MAIN: foreign}
    assert "not empty" in mirror.trouble
    assert Notice.objects.open_alarms().filter(code=FAILING).exists()


def test_a_mirror_that_was_registered_anew_goes_on(mirror: Mirror, device: Device, elsewhere: Path) -> None:
    """After a lost database: what is there is an older state of the same record."""
    push_mirror(mirror, now=NOW)
    MirroredRef.objects.all().delete()
    back_up(kept(device, b"hostname edge2\nend\n"))

    push_mirror(mirror, now=NOW)

    assert refs_of(elsewhere) == {layout.MAIN: head(device.tenant)}


def test_a_run_that_ends_while_a_push_goes_on_is_pushed_next(mirror: Mirror) -> None:
    """Else its versions would wait for an hour."""
    Mirror.objects.claim(mirror.pk, NOW)
    held = Mirror.objects.get(pk=mirror.pk)
    Mirror.objects.wanted(NOW + timedelta(seconds=1))

    record(held, Outcome(), 1, now=NOW + timedelta(seconds=2), may_pass=True)

    assert Mirror.objects.due(NOW + timedelta(seconds=3)).exists()


def test_a_mirror_that_nobody_has_seen_whole_for_hours_raises_an_alarm(mirror: Mirror) -> None:
    """No news is no good news."""
    Mirror.objects.update(created_at=NOW - timedelta(hours=4))

    watch(NOW)

    assert Notice.objects.open_alarms().get().code == LATE


def test_directories_are_refused_where_nobody_allows_them(mirror: Mirror, settings: LazySettings) -> None:
    """Whoever may write mirrors could otherwise push into another tenant's repository."""
    settings.NETCAIRN_MIRRORS_DIR = None

    outcome = push_mirror(mirror, now=NOW)

    assert outcome is not None and "NETCAIRN_MIRRORS_DIR" in outcome.trouble


def test_only_who_may_see_secrets_adds_a_mirror(device: Device, elsewhere: Path) -> None:
    """It hands out all of them; the page says so, and the audit log knows who did it."""
    boss = make_user("boss", (device.tenant, Role.ADMINISTRATOR))
    operator = make_user("op", (device.tenant, Role.OPERATOR), permissions=("backups.add_mirror",))
    add = "/admin/backups/mirror/add/"
    sent = {"tenant": str(device.tenant_id), "name": "copy", "url": f"file://{elsewhere}", "enabled": "on"}

    assert logged_in(operator).get(add).status_code == 403
    assert "Whoever may read that repository reads them" in page(logged_in(boss).get(add))
    assert logged_in(boss).post(add, sent).status_code == 302

    assert AuditEntry.objects.filter(action="mirror.added", by="boss").exists()
    assert "file://" in page(logged_in(boss).get("/admin/backups/mirror/"))


def test_the_command_pushes_and_lists(mirror: Mirror, capsys: Any) -> None:
    """For scripts, and for who has no browser at night."""
    call_command("mirror", "push", "copy", "--tenant", "acme")
    call_command("mirror", "list", "--json")

    assert '"behind": 0' in capsys.readouterr().out


@contextmanager
def git_over_ssh(key: str) -> Iterator[Any]:
    """An SSH server that lets one key in, and runs git for it."""

    async def serve(process: Any) -> None:
        name, path = shlex.split(process.command)
        pipe = asyncio.subprocess.PIPE
        running = await asyncio.create_subprocess_exec(
            "git", name.removeprefix("git-"), path, stdin=pipe, stdout=pipe, stderr=pipe
        )
        await process.redirect(stdin=running.stdin, stdout=running.stdout, stderr=running.stderr)
        process.exit(await running.wait())

    public = asyncssh.import_private_key(key).export_public_key().decode()
    with bare_server(serve, authorized_client_keys=asyncssh.import_authorized_keys(public)) as server:
        yield server


def test_a_mirror_over_ssh_pins_the_host_key(device: Device, elsewhere: Path) -> None:
    """A deploy key with a passphrase; another host key later is refused, shown, and waits for a person."""
    key = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    locked = asyncssh.import_private_key(key).export_private_key("openssh", "Canary-pass", rounds=1).decode()
    add_credential(device.tenant, "deploy", "git", {"private_key": locked, "passphrase": "Canary-pass"})
    back_up(kept(device))
    with git_over_ssh(key) as server:
        url = f"ssh://127.0.0.1:{server.port}{elsewhere}"
        mirror = add_mirror(device.tenant, "far", url=url, credential="deploy", by="ada")
        outcome = push_mirror(mirror, now=NOW)
        assert outcome is not None and outcome.trouble == ""
        assert refs_of(elsewhere) == {layout.MAIN: head(device.tenant)}
        mirror.refresh_from_db()
        assert mirror.host_key == server.host_keys[0]

        Mirror.objects.update(
            host_key=" ".join(asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().split()[:2])
        )
        push_mirror(mirror, now=NOW)

        mirror.refresh_from_db()
        assert mirror.presented_key == server.host_keys[0]
        assert "another host key" in mirror.trouble
        refused = push_mirror(mirror, now=NOW)
        assert refused is not None and "judged" in refused.trouble
    assert not list(login.MEMORY.glob(f"{login.PREFIX}*_{os.getpid()}_*"))


class Backend(BaseHTTPRequestHandler):
    """git http-backend behind a password, as a forge has it."""

    root: Path
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.serve(b"")

    def do_POST(self) -> None:
        self.serve(self.body())

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"]))
        read = b""
        while size := int(self.rfile.readline(), 16):
            read += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return read

    def serve(self, body: bytes) -> None:
        wanted = "Basic " + base64.b64encode(f"bot:{TOKEN}".encode()).decode()
        if self.headers.get("Authorization") != wanted:
            self.answer(401, [("WWW-Authenticate", 'Basic realm="git"')], f"not you, {TOKEN}".encode())
            return
        parts = urlsplit(self.path)
        told = {
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "REMOTE_USER": "bot",
            "PATH": "/usr/bin:/bin",
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=told, capture_output=True, check=True)
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n")]
        status = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
        self.answer(status, [one for one in headers if one[0] != "Status"], rest)  # type: ignore[misc]

    def answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in [*headers, ("Content-Length", str(len(body)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_about: Any) -> None:
        """Quiet."""


@contextmanager
def git_over_https(root: Path, tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """Its port, and the file with its certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    began = datetime.now(UTC) - timedelta(days=1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(began).not_valid_after(began + timedelta(days=9))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    encoding = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "ca.pem").write_bytes(certificate)
    (tmp_path / "both.pem").write_bytes(certificate + key.private_bytes(*encoding))
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Served", (Backend,), {"root": root}))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server.server_address[1], tmp_path / "ca.pem"
    finally:
        server.shutdown()
        server.server_close()


def test_a_token_opens_a_mirror_over_https_and_is_told_to_nobody(
    device: Device, elsewhere: Path, tmp_path: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in an argument, which every user of the machine may read, and not in what a refusing server says back."""
    git(elsewhere, "config", "http.receivepack", "true")
    seen: list[str] = []
    started = doorway.Process.__init__

    def start(process: doorway.Process, command: list[str], *rest: Any) -> None:
        seen.extend(command)
        started(process, command, *rest)

    monkeypatch.setattr(doorway.Process, "__init__", start)
    credential = add_credential(device.tenant, "token", "bot", {"password": TOKEN})
    back_up(kept(device))
    with git_over_https(elsewhere.parent, tmp_path) as (port, certificate):
        settings.NETCAIRN_MIRRORS_CA_FILE = str(certificate)
        url = f"https://localhost:{port}/{elsewhere.name}"
        mirror = add_mirror(device.tenant, "far", url=url, credential="token", by="ada")
        outcome = push_mirror(mirror, now=NOW)
        assert outcome is not None and outcome.trouble == ""
        assert refs_of(elsewhere) == {layout.MAIN: head(device.tenant)}

        credential.set_password("wrong")
        credential.save()
        refused = push_mirror(mirror, now=NOW)

    assert refused is not None and "Authentication failed" in refused.trouble
    assert Notice.objects.open_alarms().filter(code=FAILING).exists()
    assert TOKEN not in " ".join([*seen, refused.trouble])


def test_a_mirror_is_no_way_to_what_only_this_machine_reaches(device: Device, settings: LazySettings) -> None:
    """Addresses of mirrors are typed in by tenants, as those of devices are."""
    settings.NETCAIRN_ALLOW_LOCAL = False
    add_credential(device.tenant, "deploy", "git", {"private_key": ssh_key()})
    back_up(kept(device))
    mirror = add_mirror(device.tenant, "near", url="ssh://127.0.0.1/x", credential="deploy", by="ada")

    outcome = push_mirror(mirror, now=NOW)

    assert outcome is not None and "is this machine itself" in outcome.trouble


def test_a_mirror_without_a_credential_is_refused(tenant: Tenant) -> None:
    """It could only fail, an hour later."""
    with pytest.raises(Invalid, match="credential"):
        add_mirror(tenant, "far", url="https://git.example.net/x.git", credential=None, by="ada")


def test_moves_say_what_git_shall_find() -> None:
    """An empty lease means that there must be nothing."""
    move = Move(layout.MAIN, "a" * 40, None)
    assert (move.lease(), move.refspec()) == (f"--force-with-lease={layout.MAIN}:", f"{'a' * 40}:{layout.MAIN}")
