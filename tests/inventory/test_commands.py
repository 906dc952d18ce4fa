"""Commands: a table for people, JSON for programs, a sentence for what went wrong, and the right exit status."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from backups.errors import StoreBusy
from inventory.audit import AuditEntry
from inventory.commands import NetcairnCommand, Table, find_device, find_tenant, json_value, visible
from inventory.errors import Ambiguous, NotFound
from inventory.models import Credential, Device, Tenant
from tests.command_line import CommandLine
from tests.factories import make_credential, make_device, make_tenant
from tests.inventory.kit import ssh_key

pytestmark = pytest.mark.django_db

HEAD = "name,address,port,platform,credential\n"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """As a shell would run it."""
    return CommandLine(monkeypatch, capsys)


def test_tenants_are_added_and_listed(run: CommandLine) -> None:
    """The first command of a new installation."""
    assert run("tenant list").out == "There are no tenants yet; add one with `tenant add NAME`.\n"
    added = run("tenant add acme --json").document
    assert added == {"id": str(Tenant.objects.get().pk), "name": "acme"}
    make_device(Tenant.objects.get())
    (row,) = run("tenant list --json").document["tenants"]
    assert (row["name"], row["devices"], row["credentials"]) == ("acme", 1, 0)
    assert datetime.fromisoformat(row["created_at"]).tzinfo == UTC
    lines = run("tenant list").out.splitlines()
    assert lines[0].split() == ["name", "devices", "credentials", "keeps", "secrets", "created"]
    assert lines[2].split()[:3] == ["acme", "1", "0"]


def test_a_tenant_gets_a_quota_and_loses_its_secrets(run: CommandLine) -> None:
    """Both are shown afterwards, and what cannot be undone wants a yes after its price was named."""
    tenant = make_tenant("acme")

    quota = run("tenant set acme --quota 1.5G --json")
    hasty = run("tenant set acme --secrets mask")
    agreed = run("tenant set acme --secrets mask", typed="acme\n")

    assert quota.document["quota_bytes"] == 3 * 512 * 1024**2
    assert (hasty.status, agreed.status) == (2, 0)
    assert "cannot be put back onto a device" in hasty.err
    assert "does not rewrite the past" in hasty.err
    assert "acme keeps 0 bytes of 1.5 GB.\nSecrets are masked" in agreed.out
    tenant.refresh_from_db()
    assert (tenant.secrets_policy, tenant.quota_bytes) == ("mask", 3 * 512 * 1024**2)
    assert list(AuditEntry.objects.values_list("action", flat=True)) == ["secrets_policy.set", "quota.set"]
    assert run("tenant set acme --quota lots").status == 2
    assert run("tenant set acme --quota none --json").document["quota_bytes"] is None
    assert run("tenant recount acme --json").document["kept_bytes_before"] == 0


def test_json_may_stand_before_the_verb(run: CommandLine) -> None:
    """Both ways are natural."""
    assert run("tenant --json list").document == {"tenants": []}


@pytest.mark.parametrize(
    ("line", "status", "sentence"),
    [
        ("tenant", 2, "required: VERB"),
        ("tenant add", 2, "required: NAME"),
        ("tenant list --bogus", 2, "unrecognized arguments: --bogus"),
        ("tenant add a/b", 1, "'a/b' is not a usable name"),
        ("tenant add acme", 1, "There is a tenant 'acme' already."),
        ("devices list --tenant acne", 1, "There is no tenant 'acne'; did you mean 'acme'?"),
        ("devices list --tenant zz", 1, "There is no tenant 'zz'; `tenant list` shows those that exist."),
        ("devices import /nowhere.csv --tenant acme", 2, "The file /nowhere.csv cannot be read: No such file"),
        ("credential add x --tenant acme --username u", 2, "Hand the password over with --password-stdin"),
        ("credential add x --tenant acme --username u --password-stdin", 2, "no line for the password"),
        ("credential add x --tenant acme --username u --key-file /nowhere", 2, "/nowhere cannot be read"),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_a_status(run: CommandLine, line: str, status: int, sentence: str) -> None:
    """2 for wrong use, 1 for a refusal, and never a traceback or a class name."""
    make_tenant("acme")
    said = run(line)
    assert said.status == status
    assert sentence in said.err
    assert said.out == ""
    assert "Traceback" not in said.err
    assert "Error:" not in said.err


def test_a_credential_takes_its_secrets_from_a_pipe(run: CommandLine) -> None:
    """First line the password, second the enable secret, and blanks belong to them."""
    make_tenant("acme")
    line = "credential add lab --tenant acme --username u --password-stdin --enable-stdin"
    said = run(line, stdin=" pass word\r\nCanary-7316\n")
    assert said.status == 0
    credential = Credential.objects.get()
    assert (credential.password(), credential.enable_secret()) == (" pass word", "Canary-7316")
    assert "Canary" not in said.out + said.err
    listed = run("credential list --json")
    (row,) = listed.document["credentials"]
    assert row["secrets"] == ["password", "enable"]
    assert "Canary" not in listed.out


def test_a_credential_takes_its_key_from_a_file(run: CommandLine, tmp_path: Path) -> None:
    """And the passphrase of the key from a pipe."""
    make_tenant("acme")
    (tmp_path / "key").write_text(ssh_key("lock"))
    line = "credential add lab --tenant acme --username u --key-file"
    refused = run(line, str(tmp_path / "key"))
    assert (refused.status, refused.err) == (1, "The private key is encrypted; give its passphrase too.\n")
    assert run(line, str(tmp_path / "key"), "--passphrase-stdin", stdin="lock\n").status == 0
    assert Credential.objects.get().passphrase() == "lock"


def test_without_options_a_person_is_asked(run: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Typed blindly, as everywhere."""
    make_tenant("acme")
    asked: list[str] = []
    answers = iter(["typed", ""])
    monkeypatch.setattr("getpass.getpass", lambda prompt: (asked.append(prompt), next(answers))[1])
    assert run("credential add lab --tenant acme --username u", typed="").status == 0
    assert asked == ["Password: ", "Enable secret (empty for none): "]
    assert Credential.objects.get().password() == "typed"
    assert not Credential.objects.get().has_secret("enable")


def test_devices_are_imported_and_listed(run: CommandLine, tmp_path: Path) -> None:
    """What a script reads afterwards is what the file said."""
    tenant = make_tenant("acme")
    make_credential(tenant, "lab")
    file = tmp_path / "devices.csv"
    file.write_text(HEAD + "edge1,127.0.0.1,2022,cisco_ios,lab\n")
    trial = run("devices import --tenant acme --dry-run --json", str(file)).document
    assert trial == {"tenant": "acme", "dry_run": True, "added": 1, "updated": 0, "unchanged": 0, "problems": []}
    assert not Device.objects.exists()
    assert run("devices import --tenant acme", str(file)).out == "Added 1, updated 0, unchanged 0.\n"
    (row,) = run("devices list --json").document["devices"]
    assert {key: row[key] for key in ("tenant", "name", "address", "port", "platform", "credential", "enabled")} == {
        "tenant": "acme",
        "name": "edge1",
        "address": "127.0.0.1",
        "port": 2022,
        "platform": "cisco_ios",
        "credential": "lab",
        "enabled": True,
    }
    assert run("devices import - --tenant acme", stdin=file.read_text()).out == "Added 0, updated 0, unchanged 1.\n"


def test_a_refused_import_names_its_lines_and_is_json_too(run: CommandLine, tmp_path: Path) -> None:
    """People read stderr, scripts read stdout."""
    make_tenant("acme")
    file = tmp_path / "devices.csv"
    file.write_text(HEAD + "a b,192.0.2.1,22,nope,lab\n")
    said = run("devices import --tenant acme --json", str(file))
    assert said.status == 1
    assert said.document["added"] == 0
    assert said.document["problems"] == said.err.splitlines()
    assert len(said.document["problems"]) == 3


def test_platforms_are_listed(run: CommandLine) -> None:
    """What is supported, how well it was verified, and how a version gets back."""
    rows = {row["slug"]: row for row in run("platforms --json").document["platforms"]}
    assert set(rows["cisco_ios"]) == {"slug", "label", "netmiko_type", "verified", "restore"}
    assert rows["cisco_ios"]["netmiko_type"] == "cisco_ios"
    assert list(rows) == sorted(rows)


class Broken(NetcairnCommand):
    """Goes wrong as it is told."""

    error: BaseException = ValueError()

    def handle(self, *args: Any, **options: Any) -> None:
        """Goes wrong."""
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (StoreBusy("Tenant acme is being written to; try again."), 1, "Tenant acme is being written to; try again."),
        (Ambiguous("Say which with --tenant."), 2, "Say which with --tenant."),
        (CommandError("Own words.", returncode=3), 3, "Own words."),
        (KeyboardInterrupt(), 130, "Interrupted."),
    ],
)
def test_expected_errors_are_sentences(run: CommandLine, error: BaseException, status: int, sentence: str) -> None:
    """Whatever app they come from."""
    command = Broken()
    command.error = error
    said = run("broken", command=command)
    assert (said.status, said.err.startswith(sentence)) == (status, True)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (
            "postgres://db.example/netcairn",
            "The database cannot be reached: connection refused Is it running? Check DATABASE",
        ),
        ("", "connection refused Is it running?\n"),
    ],
)
def test_advice_about_the_database_fits_the_one_in_use(
    run: CommandLine, monkeypatch: pytest.MonkeyPatch, url: str, sentence: str
) -> None:
    """Whoever uses the embedded server must not be told to look at a variable that is not set."""
    monkeypatch.setenv("DATABASE_URL", url)
    command = Broken()
    command.error = OperationalError("connection refused\nIs it running?")

    said = run("broken", command=command)

    assert (said.status, said.err.startswith(sentence)) == (1, True)


def test_a_bug_is_still_a_bug() -> None:
    """What nobody expected must not be dressed up as a sentence."""
    with pytest.raises(ValueError):
        call_command(Broken())


def test_a_program_that_calls_a_command_gets_an_exception() -> None:
    """Not the end of its process."""
    with pytest.raises(CommandError, match="There is no tenant"):
        call_command("devices", "list", tenant="nope")


def test_a_missing_migration_is_said_so(run: CommandLine) -> None:
    """Not as a missing relation."""
    from django.db import ProgrammingError
    from psycopg.errors import UndefinedTable

    command = Broken()
    command.error = ProgrammingError("relation does not exist")
    command.error.__cause__ = UndefinedTable()
    assert "run the command `migrate` first" in run("broken", command=command).err


def test_devices_are_found_by_name_and_tenant() -> None:
    """Every command that takes a device finds it so."""
    acme, globex = make_tenant("acme"), make_tenant("globex")
    ours, theirs = make_device(acme, "edge1"), make_device(globex, "edge1")
    make_device(acme, "only-here")
    assert find_device("edge1", "acme") == ours
    assert find_device("edge1", globex) == theirs
    assert find_device("only-here").tenant == acme
    with pytest.raises(Ambiguous, match=r"acme, globex; say which with --tenant\."):
        find_device("edge1")
    with pytest.raises(NotFound, match="There is no device 'edge2'; did you mean 'edge1'"):
        find_device("edge2")
    with pytest.raises(NotFound, match="There is no device 'only-here'; `devices list`"):
        find_device("only-here", "globex")
    with pytest.raises(NotFound, match="There is no tenant 'x'"):
        find_tenant("x")


def test_a_table_is_aligned_and_shows_what_is_hidden() -> None:
    """A device's name for itself must not move the cursor of whoever lists it."""
    table = Table(
        ("name", "n", "when"), [("a\x1b[2Jb", 5, None), ("ü", 12_000, datetime(2026, 1, 2, 3, 4, tzinfo=UTC))]
    )
    assert str(table).splitlines() == [
        "name           n  when",
        "---------  -----  -------------------",
        "a\\x1b[2Jb      5  -",
        "ü          12000  2026-01-02 03:04:00",
    ]
    assert visible("a\u202eb\r\n") == "a\\u202eb\\r\\n"


def test_times_and_ids_in_json() -> None:
    """ISO 8601 in UTC, and strings."""
    noon = datetime(2026, 1, 2, 12, 0, 0, 5, tzinfo=timezone(timedelta(hours=2)))
    assert json_value(noon) == "2026-01-02T10:00:00.000005Z"
    assert json_value(UUID(int=1)) == "00000000-0000-0000-0000-000000000001"
    with pytest.raises(TypeError):
        json_value(object())
