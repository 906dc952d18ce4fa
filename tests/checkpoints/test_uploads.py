"""A checkpoint of files that somebody brings: what is taken, what never is, and that it is always said."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client

from backups import quota
from backups.errors import QuotaFull
from backups.store.reader import open_store
from checkpoints import manifest, uploads
from checkpoints.errors import BadUpload, NotCaptured
from checkpoints.export import export_checkpoint
from checkpoints.making import UPLOADED
from checkpoints.models import Checkpoint
from checkpoints.plan import make_plan
from checkpoints.plan_checks import Processed
from checkpoints.rebuilding import pins_of
from checkpoints.restore_planning import brought
from checkpoints.services import create_checkpoint, head_of, restore_record
from checkpoints.uploading import upload_checkpoint
from checkpoints.uploads import read_archive, read_upload
from inventory.models import Device, Tenant
from inventory.platforms.registry import platform
from tests.checkpoints.conftest import NOON, later
from tests.checkpoints.test_admin import LIST, agree, member
from tests.inventory.kit import Role

GOLDEN = b"hostname edge1\nntp server 192.0.2.1\nend\n"


def zipped(**files: bytes) -> io.BytesIO:
    """A zip archive of these files; `__` stands for a slash."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    sink.seek(0)
    return sink


def tarred(*members: tuple[tarfile.TarInfo, bytes]) -> io.BytesIO:
    """A tar archive of these members."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    sink.seek(0)
    return sink


def test_a_zip_a_tar_and_a_directory_are_read_alike(tmp_path: Path) -> None:
    """The sums of an export are no file of a device."""
    (tmp_path / "edge1").mkdir()
    (tmp_path / "edge1" / "running.cfg").write_bytes(GOLDEN)
    (tmp_path / "SHA256SUMS").write_text("0  edge1/running.cfg\n")
    wanted = {"edge1": {"running.cfg": GOLDEN}}

    assert read_upload(tmp_path) == wanted
    assert read_archive(zipped(**{"edge1__running.cfg": GOLDEN, "SHA256SUMS": b""}), "x.zip") == wanted
    assert read_archive(tarred((tarfile.TarInfo("./edge1/running.cfg"), GOLDEN)), "x.tar") == wanted


@pytest.mark.parametrize(
    "path",
    ["../edge1/running.cfg", "/etc/passwd", "edge1/../x", "a/b/c", "x", "edge1/.git", "ed ge/x", "a\\b/x.cfg", "a/"],
)
def test_a_path_that_leads_anywhere_is_refused(path: str) -> None:
    """Names come from outside; they become paths of the store."""
    with pytest.raises(BadUpload):
        uploads.place_of(path)


def test_links_in_what_is_brought_are_refused(tmp_path: Path) -> None:
    """A link in an archive or a directory would hand out files of this machine."""
    link = tarfile.TarInfo("edge1/running.cfg")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/shadow"
    (tmp_path / "edge1").mkdir()
    (tmp_path / "edge1" / "running.cfg").symlink_to("/etc/hostname")

    with pytest.raises(BadUpload, match="no plain file"):
        read_archive(tarred((link, b"")), "x.tar")
    with pytest.raises(BadUpload, match="is a link"):
        read_upload(tmp_path)


def test_what_unpacks_to_more_than_is_allowed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small archive may hold gigabytes; it is counted while it is read."""
    monkeypatch.setattr(uploads, "MAX_FILE", 1000)
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("edge1/running.cfg", b"a" * 100_000)

    with pytest.raises(BadUpload, match="too much"):
        read_archive(sink, "x.zip")


@pytest.mark.parametrize(
    ("name", "content"), [("x.zip", b"PK no"), ("x.tar", b"nothing"), ("x.rar", b"Rar!"), ("x.zip", b"")]
)
def test_what_is_no_archive_is_refused_in_one_sentence(name: str, content: bytes) -> None:
    """Nobody wants a traceback for a wrong file."""
    with pytest.raises(BadUpload):
        read_archive(io.BytesIO(content), name)


def test_uploaded_files_become_a_branch_that_says_what_it_is(tenant: Tenant, edge: Device) -> None:
    """Capability D3, D11: on an explicit parent, without moving HEAD; known again from git alone."""
    first = create_checkpoint(tenant, message="one", author="anna", now=NOON)
    create_checkpoint(tenant, message="two", author="anna", now=later(1))
    head = head_of(tenant.pk)

    made = upload_checkpoint(
        tenant,
        {"edge1": {"running.cfg": GOLDEN}},
        message="golden",
        author="eve",
        parent=first,
        ref="golden",
        now=later(2),
    )

    store = open_store(tenant.pk)
    held = manifest.of_commit(store, made.content)[edge.pk]["running.cfg"]
    assert store.blob(held.blob) == GOLDEN
    assert (made.parent, made.uploaded, made.whole, made.device_count) == (first, True, False, 1)
    assert (head_of(tenant.pk), tenant.refs.get(name="golden").checkpoint) == (head, made)
    assert f"{UPLOADED}: yes" in store.log("devices", start=made.pin)[0].message
    with pytest.raises(NotCaptured, match="uploaded"):
        restore_record(made, author="eve", now=later(3))


def test_it_is_known_again_when_the_database_is_rebuilt(tenant: Tenant, edge: Device) -> None:
    """Otherwise the record could go back to what no device has said."""
    made = upload_checkpoint(tenant, {"edge1": {"running.cfg": GOLDEN}}, message="x", author="eve", now=later(1))
    store = open_store(tenant.pk)

    (pin,) = pins_of(tenant, store)

    assert (pin.id, pin.uploaded) == (made.pk, True)


def test_an_export_can_be_brought_back(tenant: Tenant, edge: Device, core: Device, tmp_path: Path) -> None:
    """Capability B10, D3: the layout is the same, so a plan can be edited by hand and put onto devices."""
    first = create_checkpoint(tenant, message="one", author="anna", now=NOON)
    export_checkpoint(first, tmp_path / "out")

    call_command(
        "checkpoint",
        "create",
        tenant=tenant.name,
        message="edited",
        content=str(tmp_path / "out"),
        parent="HEAD",
        verbosity=0,
    )

    made = Checkpoint.objects.get(uploaded=True)
    store = open_store(tenant.pk)
    assert manifest.of_commit(store, made.pin) == manifest.of_commit(store, first.pin)
    assert (made.parent, made.changed_count) == (first, 0)
    copy = create_checkpoint(tenant, message="of it", author="anna", content=made, parent=first, now=later(1))
    assert copy.uploaded


@pytest.mark.parametrize(
    ("device", "file", "told"),
    [("nobody", "running.cfg", "has no device nobody"), ("edge1", "config.xml", "are called")],
)
def test_files_that_fit_no_device_are_refused(tenant: Tenant, edge: Device, device: str, file: str, told: str) -> None:
    """A checkpoint from which nothing can be put back would promise too much."""
    with pytest.raises(BadUpload, match=told):
        upload_checkpoint(tenant, {device: {file: GOLDEN}}, message="x", author="eve", now=NOON)

    assert not Checkpoint.objects.exists()


def test_what_is_brought_counts_against_the_quota(tenant: Tenant, edge: Device) -> None:
    """It lies in the store like everything else."""
    quota.set_quota(tenant, 100, by="root")

    with pytest.raises(QuotaFull):
        upload_checkpoint(tenant, {"edge1": {"running.cfg": b"x" * 1000}}, message="x", author="eve", now=NOON)

    assert not Checkpoint.objects.exists()
    assert open_store(tenant.pk).refs("refs/checkpoints") == {}


def test_secrets_are_masked_where_the_tenant_wants_it(tenant: Tenant, edge: Device) -> None:
    """A rule against copies of passwords has no back door."""
    Tenant.objects.filter(pk=tenant.pk).update(secrets_policy=Tenant.Secrets.MASK)
    files = {"edge1": {"running.cfg": b"snmp-server community alpha7 RO\n"}}

    made = upload_checkpoint(Tenant.objects.get(pk=tenant.pk), files, message="x", author="eve", now=NOON)

    store = open_store(tenant.pk)
    held = manifest.of_commit(store, made.pin)[edge.pk]["running.cfg"]
    assert b"alpha7" not in store.blob(held.blob)


def test_a_plan_says_that_the_version_was_uploaded() -> None:
    """Whoever approves must know that the device has never said it."""
    version = Checkpoint(author="eve", created_at=NOON, uploaded=True)
    plan = make_plan(
        platform("cisco_nxos"),
        current={"running.cfg": b"hostname a\n" * 20},
        target={"running.cfg": b"hostname b\n" * 20},
        name="n",
        minutes=5,
        processed=Processed(brought=brought(version)),
    )

    assert any("uploaded by eve on 2026-11-20, and not captured" in warning for warning in plan.warnings)
    assert brought(Checkpoint(author="eve", created_at=NOON)) == ""


def test_an_archive_is_uploaded_in_the_admin(tenant: Tenant, edge: Device) -> None:
    """One form: what for, after which, and the files; what is wrong with them is said beside the field."""
    first = create_checkpoint(tenant, message="one", author="anna", now=NOON)
    operator = member(tenant, Role.OPERATOR)

    def send(archive: io.BytesIO, name: str = "golden.zip") -> object:
        file = SimpleUploadedFile(name, archive.read())
        told = {"tenant": str(tenant.pk), "message": "golden", "tags": "lab", "parent": first.short_id, "archive": file}
        return agree(operator, f"{LIST}upload_files/", **told)  # type: ignore[arg-type]

    bad = send(zipped(**{"..__edge1__x": b""}))
    assert "is not DEVICE/FILE" in bad.content.decode()  # type: ignore[attr-defined]
    assert not Checkpoint.objects.filter(uploaded=True).exists()
    send(zipped(**{"edge1__running.cfg": GOLDEN}))

    made = Checkpoint.objects.get(uploaded=True)
    assert (made.tags, made.parent, made.author) == (["lab"], first, "m-operator")
    page = operator.get(f"{LIST}{made.pk}/change/").content.decode()
    assert "were uploaded" in page


def test_a_reader_cannot_upload(tenant: Tenant, edge: Device) -> None:
    """Permission first, whatever is sent."""
    reader: Client = member(tenant, Role.AUDITOR)

    assert reader.get(f"{LIST}upload_files/").status_code == 403
