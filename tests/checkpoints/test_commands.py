"""The commands: what people and programs get to see, and the exit status."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from django.utils import timezone

from checkpoints.models import HEAD, Checkpoint, Ref
from checkpoints.services import create_checkpoint
from inventory.models import Device, Tenant
from tests.checkpoints.conftest import back_up
from tests.checkpoints.test_lineage import row
from tests.command_line import CommandLine
from tests.factories import make_device, make_tenant


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """As a shell would run it."""
    return CommandLine(monkeypatch, capsys)


@pytest.fixture
def golden(tenant: Tenant, edge: Device, core: Device) -> Checkpoint:
    """A checkpoint, after which edge1 changed."""
    checkpoint = create_checkpoint(tenant, message="golden", author="anna", tags=["approved"], now=timezone.now())
    back_up(edge, running_cfg="hostname edge2\nend\n")
    return checkpoint


def test_a_checkpoint_is_made_with_everything_it_can_have(run: CommandLine, tenant: Tenant, golden: Checkpoint) -> None:
    """Capability D3: message, tags, devices, parent and a ref in one line."""
    line = f"checkpoint create --tenant acme --tag a --tag b --device core1 --parent {golden.short_id} --ref known-good"
    made = run(f"{line} --json -m", "before the move").document

    assert (made["message"], made["tags"], made["refs"]) == ("before the move", ["a", "b"], [HEAD, "known-good"])
    assert (made["parent"], made["whole"], made["devices"], made["files"]) == (str(golden.pk), False, 1, 2)
    assert datetime.fromisoformat(made["created_at"]).tzinfo and Checkpoint.objects.filter(pk=made["id"]).exists()


def test_checkpoints_are_listed_newest_first(run: CommandLine, tenant: Tenant, golden: Checkpoint) -> None:
    """Capability D7: with filters, a limit and an offset."""
    for message in ("one", "two", "three"):
        run("checkpoint create --tenant acme -m", message)

    def listed(options: str) -> list[str]:
        found = run(f"checkpoint list --json {options}").document["checkpoints"]
        return [checkpoint["message"] for checkpoint in found]

    assert listed("") == ["three", "two", "one", "golden"]
    assert listed("--tag approved") == ["golden"]
    assert listed("--limit 2 --offset 1") == ["two", "one"]
    assert listed("--until 2001-01-01") == [] == listed("--since 2999-01-01T00:00")
    assert listed(f"--until {timezone.now():%Y-%m-%d} --limit 1") == ["three"]
    assert run("checkpoint list").out.splitlines()[2].split()[-1] == "three"


def test_a_checkpoint_is_shown_with_what_it_holds(run: CommandLine, golden: Checkpoint, edge: Device) -> None:
    """Capability D6, D8: every file, the empty ones too."""
    shown = run(f"checkpoint show {golden.short_id} --json").document

    assert [(file["device"], file["file"], file["size"]) for file in shown["content"]] == [
        ("core1", "running.cfg", 15),
        ("core1", "startup.cfg", 14),
        ("edge1", "running.cfg", 15),
    ]
    said = run("checkpoint show HEAD").out
    assert "edge1   running.cfg     15" in said
    assert "tags: approved\n" in said and "whole: yes\n" in said


def test_tags_are_added_and_removed(run: CommandLine, golden: Checkpoint) -> None:
    """Capability D5."""
    assert run("checkpoint tag HEAD q4 --remove approved --json").document["tags"] == ["q4"]
    assert run("checkpoint tag HEAD").status == 2


def test_a_checkpoint_is_deleted_and_undeleted(run: CommandLine, golden: Checkpoint) -> None:
    """Capability D12: and the answer says how to take it back."""
    said = run(f"checkpoint delete {golden.pk}")
    assert f"undelete {golden.short_id}" in said.out
    assert run("checkpoint list --json").document["checkpoints"] == []
    assert len(run("checkpoint list --deleted --json").document["checkpoints"]) == 1
    assert run(f"checkpoint export {golden.pk} /nowhere/x").status == 1

    assert run(f"checkpoint undelete {golden.pk} --json").document["deleted_at"] is None
    assert Ref.objects.get(name=HEAD).checkpoint == golden


def test_a_named_checkpoint_is_not_deleted(run: CommandLine, golden: Checkpoint) -> None:
    """Capability D12: one sentence that names the ref, and status 1."""
    run("ref set last-good HEAD")
    said = run("checkpoint delete last-good")

    assert (said.status, said.out) == (1, "")
    assert "named by last-good" in said.err and "Traceback" not in said.err


def test_a_checkpoint_is_exported(run: CommandLine, golden: Checkpoint, tmp_path: Path) -> None:
    """B10."""
    target = tmp_path / "out"
    done = run(f"checkpoint export HEAD {target} --device edge1 --json").document

    assert (done["files"], (target / "edge1" / "running.cfg").read_text()) == (1, "hostname edge1\n")
    assert run(f"checkpoint export HEAD {target}").status == 1
    assert run(f"checkpoint export HEAD {target} --replace").status == 0


def test_refs_are_set_listed_and_deleted(run: CommandLine, tenant: Tenant, golden: Checkpoint) -> None:
    """Capability D13, D14: with compare-and-swap for scripts."""
    assert run(f"ref set last-good {golden.short_id} --expect none --json").document["checkpoint"] == str(golden.pk)
    assert run("ref set last-good HEAD --expect none").status == 1
    assert run("ref set last-good HEAD --expect last-good").status == 0
    assert [ref["name"] for ref in run("ref list --json").document["refs"]] == [HEAD, "last-good"]

    assert run("ref delete last-good").status == 0
    assert run("ref delete last-good").status == 1
    assert run("ref delete HEAD").status == 1
    assert run("ref set ../evil HEAD").status == 1


def test_a_difference_is_text_or_figures(run: CommandLine, golden: Checkpoint, edge: Device) -> None:
    """Capability D9: between a checkpoint and a device, a ref and a device, two snapshots."""
    text = run(f"diff {golden.short_id} edge1").out
    assert text.splitlines()[1:] == [
        "--- a/edge1/running.cfg",
        "+++ b/edge1/running.cfg",
        "@@ -1,1 +1,2 @@",
        "-hostname edge1",
        "+hostname edge2",
        "+end",
    ]
    new, old = edge.snapshots.order_by("-seq")
    for left, right in (("HEAD", "edge1"), (str(old.pk), new.pk.hex[:12])):
        (file,) = run(f"diff {left} {right} --json").document["files"]
        assert (file["path"], file["status"], file["lines_added"], file["lines_removed"]) == (
            "edge1/running.cfg",
            "changed",
            2,
            1,
        )
    assert run("diff HEAD edge1 --stat").out.splitlines()[2].split() == ["edge1/running.cfg", "changed", "+2", "-1"]
    assert "No difference" in run("diff edge1 edge1").err


def test_a_difference_hides_secrets_unless_told_otherwise(run: CommandLine, edge: Device) -> None:
    """What is pasted into a ticket must not hold a community."""
    back_up(edge, running_cfg="hostname edge1\nsnmp-server community hunter2 RO\n")
    old = edge.snapshots.latest("seq")
    back_up(edge, running_cfg="hostname edge1\nsnmp-server community hunter3 RO\n")

    hidden = run(f"diff {old.pk} edge1")
    assert ("hunter" in hidden.out + hidden.err, "--raw" in hidden.err) == (False, True)
    assert run(f"diff {old.pk} edge1 --json").document["only_hidden"] == ["edge1/running.cfg"]
    assert "+snmp-server community hunter3 RO" in run(f"diff {old.pk} edge1 --raw").out


def test_a_difference_of_one_device(run: CommandLine, tenant: Tenant, golden: Checkpoint, core: Device) -> None:
    """`--device` narrows two checkpoints down."""
    back_up(core, running_cfg="hostname core2\n")
    create_checkpoint(tenant, message="x", author="anna", now=timezone.now())

    files = run(f"diff {golden.pk} HEAD --device edge1 --json").document["files"]
    assert [file["path"] for file in files] == ["edge1/running.cfg"]


@pytest.mark.parametrize(
    ("line", "status", "sentence"),
    [
        ("diff HEAD nothing", 1, "There is no version 'nothing'"),
        ("diff live live", 2, "Only one of the two can be live"),
        ("diff HEAD live", 1, "Say with one --device NAME"),
        ("diff HEAD", 2, "required: B"),
        ("diff HEAD edge1 --tenant acne", 1, "did you mean 'acme'"),
        ("diff dup dup", 2, "--tenant"),
        ("diff dup edge1", 1, "different tenants"),
        ("checkpoint show 123", 1, "at least 8 digits"),
        ("checkpoint list --since yesterday", 2, "2026-11-20"),
        ("checkpoint list --since 2026-13-45", 2, "is no time"),
        ("restore record nothing", 1, "There is no checkpoint 'nothing'"),
        ("gc --tenant acne", 1, "There is no tenant 'acne'"),
        ("gc --grace -1", 2, "--grace"),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_a_status(
    run: CommandLine, tenant: Tenant, line: str, status: int, sentence: str
) -> None:
    """2 for wrong use, 1 for a refusal, never a traceback."""
    row(tenant, None)
    make_device(tenant, "edge1")
    for name in ("x", "y"):
        make_device(make_tenant(name), "dup")
    said = run(line)

    assert (said.status, said.out, sentence in said.err) == (status, "", True)
    assert "Traceback" not in said.err


def test_going_back_shows_the_plan_and_asks(run: CommandLine, golden: Checkpoint, edge: Device) -> None:
    """Capability D10: without a yes nothing happens; with one, what was shown."""
    assert run("restore record HEAD").status == 2
    said = run("restore record HEAD", typed="n\n")
    assert (said.status, "edge1" in said.err, edge.snapshots.count()) == (2, True, 2)

    assert run("restore record HEAD", typed="yes\n").status == 0
    assert edge.snapshots.latest("seq").size == 15
    assert "Nothing to do" in run(f"restore record {golden.pk} --yes").err


def test_going_back_for_a_program(run: CommandLine, golden: Checkpoint, edge: Device) -> None:
    """Capability D10: the plan with each device, and what came of it."""
    planned = run("restore record HEAD --device edge1 --dry-run --json").document
    done = run("restore record HEAD --device edge1 --json").document

    assert planned["plan"] == done["plan"] and (planned["done"], done["done"]) == (False, True)
    (device,) = done["plan"]["devices"]
    assert (device["device"], device["outcome"], device["lines_added"], device["lines_removed"]) == (
        "edge1",
        "back",
        1,
        2,
    )
    assert done["snapshots"] == [str(edge.snapshots.latest("seq").pk)]
    assert Checkpoint.objects.get(pk=done["checkpoint"]).commit == done["commit"]


def test_garbage_is_collected(run: CommandLine, golden: Checkpoint) -> None:
    """Capability D16: figures for all tenants and for each, and status 0."""
    run(f"checkpoint delete {golden.pk}")
    assert run("gc --json").document["checkpoints_removed"] == 0

    foreseen = run("gc --tenant acme --grace 0 --dry-run --json").document
    done = run("gc --tenant acme --grace 0 --json").document
    assert (foreseen["objects_removed"], done["objects_removed"]) == (1, 1)
    assert done["bytes_freed"] > 0 and done["kept"] > 0 and done["refused"] == []
    assert run(f"checkpoint undelete {golden.pk}").status == 1
    assert "acme" in run("gc").out


def test_a_refused_collection_has_status_1(
    run: CommandLine, golden: Checkpoint, edge: Device, store_root: Path
) -> None:
    """Capability D16: the next line of a script must not run."""
    for pack in store_root.rglob("*.pack"):
        pack.unlink()
    said = run("gc --json")

    assert (said.status, said.document["objects_removed"]) == (1, 0)
    assert said.document["refused"][0].startswith("acme: ")


def test_a_file_of_a_checkpoint_is_shown(run: CommandLine, golden: Checkpoint, core: Device) -> None:
    """The main file where none is named, any other by its name, and a clear word for one that is not there."""
    assert run("show edge1 --at HEAD --json").document["text"] == "hostname edge1\n"
    assert run("show core1 --at HEAD --file startup.cfg --json").document["text"] == "hostname core\n"
    assert "has no file 'x'; it has running.cfg" in run("show edge1 --at HEAD --file x").err


def test_a_text_that_was_stored_masked_is_shown_with_a_warning(run: CommandLine, edge: Device) -> None:
    """Whoever copies it into a device would set a password called (masked)."""
    back_up(edge, running_cfg="enable secret 5 (masked)\n")

    said = run("show edge1 --json")

    assert said.document["masked"] is True
    assert "cannot be put back" in said.err
