"""What is kept of a session that failed, and above all what is not."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from backups import netmiko_transport, runs, shard
from backups.collect import collect
from backups.errors import CollectError, EnableRefused, HostKeyChanged, LinkLost
from backups.models import Transcript
from backups.netmiko_transport import NetmikoTransport
from backups.simulator import DeviceSpec, Fleet
from backups.transcript import HIDDEN, SHOWN
from backups.transcript import Transcript as Taken
from backups.transcripts import sweep
from backups.transport import Limits, Target
from inventory.platforms import registry
from tests.backups.ssh_server import PASSWORD, bare_server
from tests.factories import make_credential, make_device, make_tenant
from tests.inventory.kit import Role, logged_in, make_user, page

IOS = registry.platform("cisco_ios")
LIMITS = Limits(deadline=20, connect=5, idle=0.5)
CANARIES = ("canary-pass-81", "canary-enable-82", "canary-phrase-83")


def target(**more: Any) -> Target:
    """With three secrets."""
    secrets = dict(zip(("password", "enable_secret", "passphrase"), CANARIES, strict=True))
    return Target("edge1", "192.0.2.1", 22, "netcairn", **(secrets | more))


def taken(**more: Any) -> Taken:
    return Taken(target(**more), IOS)


def test_what_is_typed_at_a_question_for_a_password_is_never_taken_down() -> None:
    """Also a secret that we do not know of."""
    told = taken()
    told.heard(b"edge1>enable\r\nPassword: ")
    told.sent(b"unknown-canary\n", asked=b"Password:")
    told.heard(b"\r\nedge1#")
    told.sent(b"show running-config\n", asked=b"edge1#")

    text = told.text("It failed.")

    assert "unknown-canary" not in text
    assert "> show running-config" in text
    assert text.endswith("It failed.\n")


def test_secrets_of_the_credential_and_of_the_configuration_are_struck_out() -> None:
    """A device may echo a password, and its configuration is full of them."""
    told = taken()
    told.heard(f"login {CANARIES[0]}\r\nsnmp-server community canary-snmp RO\r\n".encode())
    told.heard(f"enable {CANARIES[1]} {CANARIES[2]}\r\n".encode())

    text = told.text()

    assert not [word for word in (*CANARIES, "canary-snmp") if word in text]
    assert "snmp-server community" in text


@given(st.lists(st.sampled_from([*CANARIES, "\n", "\r\n", "x" * 900, "\x00", "\x1b[1m", "password "]), max_size=150))
def test_no_order_of_pieces_brings_a_secret_through(pieces: list[str]) -> None:
    """However it comes in, wherever it is cut."""
    told = taken()
    for piece in pieces:
        for start in range(0, len(piece), 5):
            told.heard(piece[start : start + 5].encode())

    text = told.text()

    assert not [word for word in CANARIES if word in text]
    assert len(text) < SHOWN + 1000
    assert "\x00" not in text and "\x1b" not in text


def test_a_secret_beyond_ascii_is_struck_out_as_the_device_shows_it() -> None:
    """Its bytes are what comes back, not its letters."""
    told = taken(password="gehörtnichthierher")
    told.heard("login gehörtnichthierher\n".encode())

    assert "rtnichthierher" not in told.text()


def test_of_a_long_session_the_end_is_kept() -> None:
    """A row is no place for 16 MB, and the end says what went wrong."""
    told = taken()
    for number in range(40_000):
        told.heard(b"line %d\n" % number)

    text = told.text()

    assert "line 39999" in text
    assert "line 20000\n" not in text
    assert len(text) < SHOWN + 1000


def failure(device: Target, limits: Limits = LIMITS) -> CollectError:
    """What collecting it ended in."""
    with pytest.raises(CollectError) as caught:
        collect(device, IOS, transport=NetmikoTransport(), limits=limits)
    return caught.value


def test_a_failed_session_brings_its_transcript(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over real SSH: the enable secret is typed and refused, and stands nowhere."""
    monkeypatch.setattr(netmiko_transport, "GIVE_UP_AFTER", 0.25)
    with Fleet([DeviceSpec(enable_secret="another")], seed=3) as fleet:
        box = fleet[0]
        known = {"password": box.password, "enable_secret": CANARIES[1]}
        error = failure(Target(box.name, box.address, box.port, box.username, **known))

    assert isinstance(error, EnableRefused)
    assert "> enable" in error.transcript
    assert f"> {HIDDEN}" in error.transcript
    assert "host key ssh-ed25519 SHA256:" in error.transcript
    assert CANARIES[1] not in error.transcript
    assert box.password not in error.transcript


def test_a_link_that_dies_shows_where() -> None:
    """The last thing that came is what tells a crash from a timeout."""

    async def shell(process: Any) -> None:
        process.stdout.write("edge1#")
        async for line in process.stdin:
            process.stdout.write(f"{line.rstrip()}\r\n")
            if line.startswith("show run"):
                process.stdout.write("Building configuration...\r\n")
                await process.stdout.drain()
                await asyncio.sleep(0.05)  # an abort throws away what was not sent yet
                process.get_extra_info("connection").abort()
            process.stdout.write("edge1#")

    with bare_server(shell) as server:
        error = failure(server.target())

    assert isinstance(error, LinkLost)
    assert "Building configuration..." in error.transcript
    assert PASSWORD not in error.transcript


@pytest.mark.django_db(transaction=True)
def test_it_is_kept_in_a_row_shown_by_right_and_swept(settings: Any, store_root: object) -> None:
    """Without the right not even the link is there; after two weeks nothing is."""
    settings.NETCAIRN_RUN_ENDED = []
    tenant = make_tenant()
    credential = make_credential(tenant)
    credential.set_password(CANARIES[0])
    credential.save()
    with Fleet([DeviceSpec(password="another")], seed=3) as fleet:
        place = {"address": fleet[0].address, "port": fleet[0].port}
        device = make_device(tenant, credential=credential, **place)
        (run,) = runs.start_runs([device], requested_by="ada", trigger="hand", by_queue=False, now=timezone.now())
        shard.work_on(run, transport=NetmikoTransport(), limits=LIMITS, threads=1)

    row = Transcript.objects.get()
    assert row.attempt.cause == "login-refused"
    assert "server SSH-2.0-" in row.text
    assert nowhere(CANARIES[0])

    url = reverse("admin:backups_transcript_change", args=[row.pk])
    run_page = reverse("admin:backups_run_change", args=[run.pk])
    auditor = logged_in(make_user("ada", (tenant, Role.AUDITOR)))
    restorer = logged_in(make_user("rita", (tenant, Role.RESTORER)))
    assert auditor.get(url).status_code in (302, 403, 404)
    assert url not in page(auditor.get(run_page))
    assert "server SSH-2.0-" in page(restorer.get(url))
    assert url in page(restorer.get(run_page))
    assert url in page(restorer.get(reverse("admin:inventory_device_attempts", args=[device.pk])))

    assert sweep() == 0
    Transcript.objects.update(made_at=timezone.now() - timedelta(days=15))
    assert sweep() == 1


def nowhere(secret: str) -> bool:
    """Whether no row of any table holds the text."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        for table in tables:
            cursor.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s', [f"%{secret}%"])  # noqa: S608
            if cursor.fetchone() != (0,):
                return False
    return True


def test_a_changed_key_leaves_one_too() -> None:
    """Nothing was said, but who answered is what matters."""
    with Fleet([DeviceSpec()], seed=3) as fleet:
        box = fleet[0]
        wrong = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEezdl1dMrOCGBFBdAW0G0gJ0ahVHrQKJ1n1BTmBsxUq"
        error = failure(Target(box.name, box.address, box.port, box.username, password="x", host_key=wrong))

    assert isinstance(error, HostKeyChanged)
    assert "host key ssh-ed25519" in error.transcript
