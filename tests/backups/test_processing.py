"""Post-processing: on a private copy, within limits, and whatever goes wrong the capture stays what the device said."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client

from backups import fsck
from backups.asking import processed
from backups.builtin_steps import changed
from backups.capture import Capture, stable_digest
from backups.collect import Collected
from backups.errors import ProcessingFailed
from backups.processing import Bounds, Processing, altered, originals, process
from backups.processing_models import PostProcessing
from inventory.models import Membership, Tenant
from inventory.platforms.registry import platform
from tests.backups.store_kit import back_up, kept
from tests.factories import make_device, make_tenant
from tests.sampling import sampled

FILES = {"running.cfg": b"hostname edge1\nsecret x\nend\n", "hardware.txt": b"chassis\n"}
QUICK = Bounds(seconds=1.0, memory=256 * 1024**2, output=1_000_000)


def shell(script: str) -> tuple[str, ...]:
    """A command that does this."""
    return ("/bin/sh", "-c", script)


def run(script: str, **options: object) -> dict[str, bytes]:
    """What becomes of the files."""
    processing = Processing(command=shell(script), bounds=QUICK, **options)  # type: ignore[arg-type]
    return process(processing, FILES, required=["running.cfg"], environment={"NETCAIRN_DEVICE": "edge1"})


def test_built_in_steps_change_what_is_kept() -> None:
    """Capabilities E5, E7: each file, in order; a byte that is no text stays what it is."""
    text = "ntp clock-period 17\nhostname edge1  \r\n\xff\n\n\n"
    steps = [["strip", "^ntp clock-period"], ["replace", r"^(hostname) .*", r"\1 X"], ["normalise"]]

    assert changed(text, steps) == "hostname X\n\xff\n"
    processing = Processing(steps=[("strip", "^secret")], only=r"^running")
    result = process(processing, FILES, required=[], environment={})
    assert result == {"running.cfg": b"hostname edge1\nend\n", "hardware.txt": b"chassis\n"}


def test_a_command_edits_copies_in_place() -> None:
    """Capabilities E5, E8, E10: in a folder of its own; new files come along; it knows whose they are."""
    result = run('sed -i "s/x/$NETCAIRN_DEVICE/" running.cfg; echo new > made.txt')

    assert result == FILES | {"running.cfg": b"hostname edge1\nsecret edge1\nend\n", "made.txt": b"new\n"}
    assert FILES["running.cfg"] == b"hostname edge1\nsecret x\nend\n"


def test_the_raw_capture_is_kept_beside_it_where_that_is_wished() -> None:
    """Only what differs has another beside it."""
    result = run("sed -i /secret/d running.cfg", keep_raw=True)

    assert result == FILES | {"running.cfg": b"hostname edge1\nend\n", "running.cfg.raw": FILES["running.cfg"]}
    assert originals(result) == FILES and altered(FILES, result) == {"running.cfg"}


def test_a_filter_that_fits_no_file_runs_nothing() -> None:
    """Capability E6: any place in the name, not only its start."""
    assert run("rm *", only="^startup") == FILES
    assert run("echo >> hardware.txt", only="cfg$")["hardware.txt"] == b"chassis\n\n"


FAILING = [
    ("echo half > running.cfg; exit 3", "status 3"),
    ("echo half > running.cfg; sleep 60", "longer than 1 s"),
    ("setsid sleep 60 & echo half > running.cfg; kill -9 $PPID; sleep 60", "longer than 1 s"),
    ("head -c 5000000 /dev/zero > running.cfg", "status 1|wrote more"),
    ("for i in 1 2 3 4 5; do head -c 900000 /dev/zero > f$i; done; sleep 5", "wrote more than"),
    ("rm -rf ../files/*", "left nothing of running.cfg"),
    (": > running.cfg", "left nothing of running.cfg"),
    ("rm running.cfg; ln -s /etc/passwd running.cfg", "no plain file"),
    ("mkdir sub", "no plain file"),
    ("cp running.cfg running.cfg.raw", "names what the device said"),
    ("ln running.cfg twin.cfg", "no plain file"),
    ("echo x > .hidden", "name that cannot be kept"),
    ('tail -c 400000000 /dev/zero | sort > /dev/null; test "${PIPESTATUS:-0}" = 1', "status"),
]


@pytest.mark.parametrize(("script", "said"), sampled(FAILING, FAILING[1:12:2]))
def test_a_step_that_fails_leaves_nothing_of_its_edits(script: str, said: str) -> None:
    """Capability E9: half a configuration is worse than none; the caller keeps the original."""
    with pytest.raises(ProcessingFailed, match=said):
        run(script)


def test_a_command_reaches_nothing_that_is_stored(db: None, store_root: Path, tmp_path: Path) -> None:
    """Capabilities E1, E16: it writes outside its folder, and deletes everything it can; all versions stay."""
    tenant = make_tenant()
    edge, core = make_device(tenant, "edge1"), make_device(tenant, "core1")
    back_up(kept(edge), kept(core))
    before = {path: path.read_bytes() for path in store_root.rglob("*") if path.is_file()}
    outside = tmp_path / "outside"

    result = run(f"rm -rf {store_root}; echo x > {outside}; cat {store_root}/*/HEAD > got.txt; true")

    assert {path: path.read_bytes() for path in store_root.rglob("*") if path.is_file()} == before
    assert not outside.exists() and result["got.txt"] == b""
    assert fsck.check(tenant, full=True) == []


def test_no_process_of_a_command_outlives_it(tmp_path: Path) -> None:
    """Not even one that has left its group and its parent."""
    run("(setsid sleep 4711 &) & true")

    told = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if readable(path)]
    assert not any(b"sleep\x004711" in line for line in told)


def readable(path: Path) -> bool:
    """Whether a process is still there to be asked."""
    return os.access(path, os.R_OK)


def test_a_pattern_that_needs_for_ever_is_stopped() -> None:
    """A tenant's regular expression must not take a worker with it."""
    processing = Processing(steps=[("replace", "(a+)+$", "b")], bounds=QUICK)
    with pytest.raises(ProcessingFailed, match="longer than 1 s"):
        process(processing, {"running.cfg": b"a" * 60 + b"!"}, required=[], environment={})


def collected(files: Mapping[str, bytes]) -> Collected:
    """What a device said."""
    capture = Capture(files, stable_digest(platform("cisco_ios"), files), ())
    return Collected(capture, "key", 0.1)


def test_results_get_their_own_digests_and_a_failure_is_said() -> None:
    """Capabilities E2, E9: unchanged is decided by what is kept; a note goes to the attempt."""
    good = Processing(steps=[("strip", "^secret")])
    bad = Processing(command=("/bin/false",))

    done, failed = (processed(lambda: collected(FILES), one, platform("cisco_ios"), {}) for one in (good, bad))

    clean = FILES | {"running.cfg": b"hostname edge1\nend\n"}
    assert (done.capture.files, done.note) == (clean, "")
    assert done.capture.digest == stable_digest(platform("cisco_ios"), clean)
    assert done.said == {name: len(content) for name, content in FILES.items()}
    assert (done.altered, failed.altered) == ({"running.cfg"}, frozenset())
    assert failed.capture.files == FILES and "/bin/false ended with status 1" in failed.note


def test_a_worker_that_dies_while_it_processes_leaves_nothing_half_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Capability E4: nothing is stored that waits to be processed, so there is nothing to go on with afterwards."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    processing = Processing(steps=[("strip", "^secret")])
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("backups.processing.gathered", dies)
        processed(lambda: collected(FILES), processing, platform("cisco_ios"), {})
    left = list(tmp_path.iterdir())

    again = processed(lambda: collected(FILES), processing, platform("cisco_ios"), {})

    assert left == [] and again.capture.files["running.cfg"] == b"hostname edge1\nend\n"


def dies(_: Path) -> None:
    """In the middle."""
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"steps": "strip (", "command": ""}, "no regular expression"),
        ({"steps": "replace (a) => \\2"}, "groups"),
        ({"steps": "explode"}, "is no step"),
        ({"only": "["}, "no regular expression"),
        ({"command": "rm -rf"}, "full path"),
        ({"command": "/bin/sh '"}, "cannot be read"),
    ],
)
def test_what_cannot_be_done_is_refused_when_it_is_saved(tenant: Tenant, fields: dict[str, str], said: str) -> None:
    """Capability E6: an invalid pattern fails in the form, not at night."""
    with pytest.raises(ValidationError, match=said):
        PostProcessing(tenant=tenant, platform="cisco_ios", **fields).full_clean()


def test_only_a_superuser_names_a_command(tenant: Tenant) -> None:
    """It runs code on the machine that holds every tenant's record."""
    user = User.objects.create_user("tina", is_staff=True)
    Membership.objects.create(tenant=tenant, user=user, role=Membership.Role.ADMINISTRATOR)
    address = "/admin/backups/postprocessing/add/"
    limits = {"seconds": 30, "memory_mb": 512, "output_mb": 64, "enabled": "on"}
    sent = {"tenant": tenant.pk, "platform": "cisco_ios", "steps": "normalise", "command": "/bin/true", **limits}

    for name in (user, User.objects.create_superuser("boss")):
        client = Client()
        client.force_login(name)
        PostProcessing.objects.all().delete()
        client.post(address, sent)
        row = PostProcessing.objects.get()
        assert (row.steps, row.command) == ("normalise", "/bin/true" if name.is_superuser else "")


@pytest.fixture
def tenant(db: None) -> Tenant:
    """A tenant without anything."""
    return make_tenant()
