"""Looking whether git and the database agree."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import threading
from contextlib import redirect_stderr
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from backups import fsck
from backups.commit import writing
from backups.errors import StoreDamaged
from backups.models import Repository, Snapshot
from backups.store.creation import create
from backups.store.reader import open_store
from inventory.models import Device, Tenant
from inventory.notices import Notice
from tests.backups.store_kit import assert_sound, back_up, git, kept, refs_of, repository
from tests.factories import make_tenant
from tests.sampling import sampled

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(device: Device) -> Path:
    """A repository with two versions of one device."""
    back_up(kept(device, b"1\n"))
    back_up(kept(device, b"2\n"))
    return repository(device.tenant)


def content_of(tenant: Tenant) -> dict[int, bytes]:
    """What is kept of every version, by its number."""
    versions = Snapshot.objects.filter(tenant=tenant)
    return {one.seq: open_store(tenant.pk).blob(one.files["running.cfg"]["blob"]) for one in versions}


def codes(tenant: Tenant, **options: bool) -> list[str]:
    return [finding.code for finding in fsck.check(tenant, **options)]


def run(*arguments: str) -> tuple[int, str]:
    """Exit status and standard output of the command."""
    out = io.StringIO()
    try:
        with redirect_stderr(io.StringIO()):
            call_command("fsck", *arguments, stdout=out)
    except SystemExit as ended:
        return int(ended.code), out.getvalue()
    return 0, out.getvalue()


def test_a_sound_store_has_no_findings(tenant: Tenant, path: Path) -> None:
    """An alarm without a cause is worse than none."""
    assert codes(tenant, full=True) == []
    assert run() == (0, "Everything that is kept is there; `fsck --full` reads all of it, too.\n")
    assert run("--full") == (0, "Everything that is kept is there, and can be read.\n")


def test_a_tenant_without_a_store_has_no_findings(tenant: Tenant, store_root: Path) -> None:
    """Nothing was backed up yet, and looking makes no repository."""
    assert codes(tenant, full=True) == []
    assert not store_root.exists()


def break_lock(path: Path) -> None:
    (path / "refs" / "heads" / "main.lock").touch()


def break_txn(path: Path) -> None:
    git(path, "update-ref", "refs/txn/7-7-00", "main")


def break_temporary(path: Path) -> None:
    (path / "objects" / "pack" / "tmp_pack_x").touch()


def break_behind(path: Path) -> None:
    git(path, "update-ref", "refs/heads/main", "main~1")


def break_foreign(path: Path) -> None:
    tree = git(path, "rev-parse", "main^{tree}")
    made = git(path, "-c", "user.name=x", "-c", "user.email=x@y", "commit-tree", tree, "-m", "foreign")
    git(path, "update-ref", "refs/heads/main", made)


def break_ref(path: Path) -> None:
    (path / "refs" / "heads" / "main").write_bytes(b"\0" * 41)


def break_head(path: Path) -> None:
    (path / "HEAD").write_text("ref: refs/heads/master\n")


def break_to_tree(path: Path) -> None:
    (path / "refs" / "heads" / "main").write_text(git(path, "rev-parse", "main^{tree}") + "\n")


def break_away(path: Path) -> None:
    git(path, "update-ref", "-d", "refs/heads/main")


def newest(path: Path, suffix: str) -> Path:
    """The file of the second version's pack, made writable."""
    found = max((path / "objects" / "pack").glob(f"*{suffix}"), key=lambda one: one.stat().st_mtime_ns)
    found.chmod(0o600)
    return found


def flip(file: Path, at: int) -> None:
    """One bit."""
    whole = bytearray(file.read_bytes())
    whole[at] ^= 4
    file.write_bytes(whole)


def break_index(path: Path) -> None:
    index = newest(path, ".idx")
    index.write_bytes(index.read_bytes()[:-100])


def break_index_bit(path: Path) -> None:
    flip(newest(path, ".idx"), 8 + 256 * 4 + 3)


def break_index_away(path: Path) -> None:
    newest(path, ".idx").unlink()


def break_packed_refs(path: Path) -> None:
    git(path, "pack-refs", "--all")
    file = path / "packed-refs"
    file.write_bytes(file.read_bytes()[:-7])


def break_order_of_refs(path: Path) -> None:
    git(path, "update-ref", "refs/quarantine/" + git(path, "rev-parse", "main"), "main")
    git(path, "pack-refs", "--all")
    file = path / "packed-refs"
    head, *lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([head, *reversed(lines)]))


def break_graph(path: Path) -> None:
    git(path, "commit-graph", "write", "--reachable")
    graph = path / "objects" / "info" / "commit-graph"
    graph.chmod(0o600)
    flip(graph, -30)


MENDED = [
    (break_lock, "stale-lock"),
    (break_txn, "stale-txn"),
    (break_temporary, "stale-temporary"),
    (break_behind, "ref-behind"),
    (break_foreign, "ref-foreign"),
    (break_ref, "ref-broken"),
    (break_head, "head-elsewhere"),
    (break_to_tree, "ref-not-commit"),
    (break_away, "ref-behind"),
    (break_index, "damaged-index"),
    (break_index_bit, "damaged-index"),
    (break_index_away, "damaged-index"),
    (break_graph, "damaged-cache"),
    (break_packed_refs, "damaged-refs"),
    (break_order_of_refs, "damaged-refs"),
]


@pytest.mark.parametrize(("damage", "code"), sampled(MENDED, MENDED[1:12:2]))
def test_what_can_be_mended_is_mended_only_when_asked(tenant: Tenant, path: Path, damage, code: str) -> None:
    """Looking changes nothing; mending mends all of it, drops nothing, and says what it did."""
    damage(path)
    aside = code in ("ref-foreign", "ref-not-commit")
    foreign = (path / "refs" / "heads" / "main").read_text().strip() if aside else ""
    before = sorted((found, found.stat().st_mtime_ns) for found in path.rglob("*") if found.is_file())

    found = fsck.check(tenant)

    assert (found[0].code, found[0].repairable, found[0].repaired) == (code, True, False)
    assert sorted((found, found.stat().st_mtime_ns) for found in path.rglob("*") if found.is_file()) == before
    assert all(finding.repaired for finding in fsck.check(tenant, repair=True))
    assert codes(tenant, full=True) == []
    assert_sound(tenant)
    assert content_of(tenant) == {1: b"1\n", 2: b"2\n"}
    assert not aside or f"refs/quarantine/{foreign}" in refs_of(path)


def test_a_database_that_is_older_than_git_is_not_taken_for_a_foreign_writer(tenant: Tenant, path: Path) -> None:
    """A database restored to an earlier point: git still has what it has forgotten, so nothing is put aside here."""
    Snapshot.objects.get(seq=2).delete()
    Repository.objects.update(head=git(path, "rev-parse", "main~1"), seq=1)

    found = fsck.check(tenant, repair=True)

    assert [(one.code, one.repairable, one.repaired) for one in found] == [("database-older", False, False)]


def test_a_database_that_was_lost_is_older_than_git(tenant: Tenant, path: Path) -> None:
    """The earliest point is an empty database."""
    Snapshot.objects.all().delete()
    Repository.objects.all().delete()

    assert codes(tenant) == ["database-older"]


def test_a_lost_repository_is_a_finding(tenant: Tenant, path: Path) -> None:
    """An unmounted disk."""
    shutil.rmtree(path)

    assert codes(tenant, repair=True) == ["missing-repository", "missing-object"]
    assert not path.exists()


def test_a_lost_commit_is_a_finding_that_only_a_copy_mends(tenant: Tenant, path: Path) -> None:
    """An older copy of the repository."""
    Repository.objects.update(head="f" * 40)
    Snapshot.objects.filter(seq=2).update(commit="f" * 40)

    found = fsck.check(tenant, repair=True)

    assert [(one.code, one.repaired) for one in found] == [("repository-older", False), ("missing-object", False)]
    assert "running.cfg of edge1 in 1 version, of 2026-03-01 12:00:00 UTC" in found[1].what
    assert run("--tenant", tenant.name)[0] == 1


def test_a_lost_file_of_an_old_version_is_a_finding(tenant: Tenant, path: Path) -> None:
    """C8: the newest being fine says nothing about the one that somebody will need."""
    pack = min((path / "objects" / "pack").glob("*.pack"), key=lambda found: found.stat().st_mtime_ns)
    blob = Snapshot.objects.get(seq=1).files["running.cfg"]["blob"]
    with pack.rename(path / "aside").open("rb") as stream:
        subprocess.run(["git", "-C", path, "unpack-objects", "-q"], stdin=stream, check=True)
    pack.with_suffix(".idx").unlink()
    (path / "objects" / blob[:2] / blob[2:]).unlink()

    assert codes(tenant) == ["missing-object"]
    assert codes(tenant, full=True) == ["missing-object"]


def test_a_flipped_bit_is_found_by_reading_everything(tenant: Tenant, path: Path) -> None:
    """Disks rot; `--full` is for finding it before a restore does."""
    blob = Snapshot.objects.get(seq=2).files["running.cfg"]["blob"]
    (line,) = [one for one in git(path, "verify-pack", "-v", newest(path, ".idx")).splitlines() if blob in one]
    flip(newest(path, ".pack"), int(line.split()[4]) + 4)

    assert codes(tenant) == []
    found = fsck.check(tenant, full=True, repair=True)
    assert [(one.code, one.repaired) for one in found] == [("damaged-pack", False), ("damaged-object", False)]
    assert "running.cfg of edge1 is lost in 1 version, of 2026-03-01 12:00:00 UTC" in found[1].what


@pytest.mark.parametrize("at", [3, 11, 12, 60, -21, -1])
def test_no_flipped_bit_of_a_pack_goes_unseen(tenant: Tenant, path: Path, at: int) -> None:
    """In its head, in what it holds, in its end: wherever it is, reading everything finds it."""
    flip(newest(path, ".pack"), at)

    assert "damaged-pack" in codes(tenant, full=True)


def test_a_pack_that_was_cut_off_is_seen_without_reading_it(tenant: Tenant, path: Path) -> None:
    """A full disk, an interrupted copy: what is lost is named by device, version and date, and an alarm stands."""
    pack = newest(path, ".pack")
    whole = pack.read_bytes()
    pack.write_bytes(whole[:-50])

    found = fsck.check(tenant)

    assert {one.code for one in found} >= {"damaged-pack", "missing-object"}
    assert "running.cfg of edge1 is lost in 1 version, of 2026-03-01 12:00:00 UTC" in found[-1].what
    assert Notice.objects.open_alarms().filter(tenant=tenant, code="store.damaged").count() == 1
    with pytest.raises(StoreDamaged):
        back_up(kept(Device.objects.get(), b"3\n"))
    pack.write_bytes(whole)
    open_store(tenant.pk).close()
    assert fsck.check(tenant) == []
    assert not Notice.objects.open_alarms().exists()


def lose_pack(path: Path) -> None:
    newest(path, ".pack").unlink()
    newest(path, ".idx").unlink()


def cut_pack(path: Path) -> None:
    pack = newest(path, ".pack")
    pack.write_bytes(pack.read_bytes()[:-50])


LOST = [(lose_pack, False), (cut_pack, False), (cut_pack, True), (shutil.rmtree, True)]


@pytest.mark.parametrize(("damage", "packed_otherwise"), sampled(LOST, LOST[::2]))
def test_what_is_lost_comes_back_from_a_copy(
    tenant: Tenant, path: Path, tmp_path: Path, damage, packed_otherwise
) -> None:
    """The copy need not be of today, nor packed as this one is: what it has of what is lost is taken."""
    copy = shutil.copytree(path, tmp_path / "copy" / path.name)
    if packed_otherwise:
        git(copy, "repack", "-adq")
    damage(path)
    if path.exists():
        open_store(tenant.pk).close()
    assert "needs you" in run("--full")[1]

    status, _ = run("--repair", "--full", "--copy", str(copy.parent))

    assert status == 0
    assert fsck.check(tenant, full=True) == []
    assert_sound(tenant)
    assert content_of(tenant) == {1: b"1\n", 2: b"2\n"}
    assert not Notice.objects.open_alarms().filter(code="store.damaged").exists()


def test_a_disk_that_does_not_give_a_pack_back_is_a_finding(tenant: Tenant, path: Path) -> None:
    """An input error is what a rotten disk says; it must not end the look at everything else."""
    pack = newest(path, ".pack")
    pack.rename(path / "aside")
    pack.mkdir()  # what reading it says is an OSError, too

    assert codes(tenant)[0] == "damaged-pack"


def test_a_repository_of_nobody_is_a_finding(tenant: Tenant, path: Path) -> None:
    """A tenant that the database has lost, or a directory that somebody has put there."""
    path.rename(path.with_name("11111111-2222-3333-4444-555555555555.git"))

    status, out = run()

    assert (status, "unknown-repository" in out) == (1, True)


def test_a_damaged_folder_of_the_record_is_told_by_device_too(tenant: Tenant, path: Path) -> None:
    """The content is there, but a clone of that moment breaks: another loss, another sentence."""
    tree = git(path, "rev-parse", "main~1:devices")
    (line,) = [
        one
        for index in (path / "objects" / "pack").glob("*.idx")
        for one in git(path, "verify-pack", "-v", str(index)).splitlines()
        if one.startswith(tree)
    ]
    pack = min((path / "objects" / "pack").glob("*.pack"), key=lambda found: found.stat().st_mtime_ns)
    pack.chmod(0o600)
    flip(pack, int(line.split()[4]) + 5)

    found = fsck.check(tenant, full=True)

    assert [one.code for one in found] == ["damaged-pack", "damaged-object", "damaged-object"]
    assert "lost the place of running.cfg of edge1 in 1 version" in found[1].what
    assert tree in found[2].what


def test_a_repository_without_a_row_gets_its_row(tenant: Tenant, path: Path, store_root: Path) -> None:
    """A crash between making a repository and its row leaves an empty one."""
    other = make_tenant("beta")
    create(repository(other))

    (found,) = fsck.check(other, repair=True)

    assert (found.code, found.repaired) == ("missing-row", True)
    assert fsck.check(other) == []


@pytest.mark.django_db(transaction=True)
def test_a_busy_store_is_a_finding_and_the_others_are_looked_at(tenant: Tenant, path: Path) -> None:
    """One tenant's long commit must not hide another's loss."""
    other = make_tenant("beta")
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with writing(tenant.pk):
            held.set()
            release.wait(30)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(30)
    try:
        found = fsck.check(tenant, wait=0.05) + fsck.check(other, wait=0.05)
    finally:
        release.set()
        thread.join()

    assert [finding.code for finding in found] == ["store-busy"]


def test_the_command_prints_one_document(tenant: Tenant, path: Path) -> None:
    """The public surface: code, tenant, what, repairable, repaired."""
    break_lock(path)

    status, out = run("--json", "--repair")

    (finding,) = json.loads(out)["findings"]
    assert status == 0
    assert finding["what"].endswith("it blocks every writer.")
    assert {key: finding[key] for key in ("code", "tenant", "repairable", "repaired")} == {
        "code": "stale-lock",
        "tenant": "acme",
        "repairable": True,
        "repaired": True,
    }
