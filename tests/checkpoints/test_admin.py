"""Checkpoints in the admin: comparing, going back, exporting, deleting, naming, collecting."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from backups.models import Snapshot
from checkpoints import retention_jobs
from checkpoints.models import HEAD, Checkpoint, Ref, RetentionPolicy
from checkpoints.retention_models import NOBODY
from checkpoints.services import create_checkpoint, delete_checkpoint
from inventory.models import Device, Tenant
from tests.checkpoints.conftest import NOON, back_up, later
from tests.factories import make_device, make_tenant
from tests.inventory.kit import Role, logged_in, make_user, page

LIST = "/admin/checkpoints/checkpoint/"
COMPARE = "/admin/backups/snapshot/compare/"


@pytest.fixture
def two(tenant: Tenant, edge: Device) -> tuple[Checkpoint, Checkpoint]:
    """Two checkpoints between which edge1 has changed, secret and all."""
    back_up(edge, later(1), running_cfg="hostname edge1\nsnmp-server community alpha7 RO\ninterface e1\n mtu 1500\n")
    first = create_checkpoint(tenant, message="before", author="anna", now=later(1))
    back_up(edge, later(2), running_cfg="hostname edge1\nsnmp-server community bravo8 RO\ninterface e1\n mtu 9000\n")
    return first, create_checkpoint(tenant, message="after", author="anna", now=later(2))


def member(tenant: Tenant, role: str) -> Client:
    """A browser of somebody with that role."""
    return logged_in(make_user(f"m-{role}", (tenant, role)))


@pytest.fixture
def boss(tenant: Tenant) -> Client:
    """The tenant's administrator."""
    return member(tenant, Role.ADMINISTRATOR)


@pytest.fixture
def stranger(tenant: Tenant) -> Client:
    """An administrator of another tenant."""
    return logged_in(make_user("sam", (make_tenant("other"), Role.ADMINISTRATOR)))


def agree(client: Client, address: str, **answers: str) -> Any:
    """Look at the plan, then agree to exactly that."""
    shown = client.get(address)
    assert shown.status_code == 200, shown.status_code
    sent = dict(shown.context["hidden"]) | {f"answer-{name}": value for name, value in answers.items()}
    return client.post(address, sent)


def verb(checkpoint: Checkpoint, name: str) -> str:
    """The address of an action on a checkpoint."""
    return f"{LIST}{checkpoint.pk}/{name}/"


def test_two_versions_stand_side_by_side_with_their_words_marked(
    edge: Device, two: tuple[Checkpoint, Checkpoint], boss: Client
) -> None:
    """What changed is found without reading the rest."""
    newest = edge.snapshots.first()

    text = page(boss.get(f"{COMPARE}?right={newest.pk}"))

    assert "<mark>1500</mark>" in text and "<mark>9000</mark>" in text
    assert text.count('data-change="start"') == 2


def test_unchanged_lines_are_folded_below_the_section_of_the_change(edge: Device, boss: Client) -> None:
    """Line 4,711 says nothing; `interface e1` does."""
    before = [
        "hostname edge1",
        *("!" for _ in range(50)),
        "interface e1",
        *(f" line {n}" for n in range(9)),
        " mtu 1500",
    ]
    back_up(edge, later(1), running_cfg="\n".join(before))
    back_up(edge, later(2), running_cfg="\n".join([*before[:-1], " mtu 9000"]))

    text = page(boss.get(f"{COMPARE}?right={edge.snapshots.first().pk}"))

    assert "<span>58 unchanged lines</span> <b>interface e1</b>" in text and "no newline" in text


def test_a_difference_is_masked_by_right(edge: Device, two: tuple[Checkpoint, Checkpoint], tenant: Tenant) -> None:
    """A changed secret is two secrets."""
    address = f"{COMPARE}?right={edge.snapshots.first().pk}"
    auditor = member(tenant, Role.AUDITOR)

    seen = [page(auditor.get(address)), page(auditor.get(f"{address}&view=unified&around=all"))]
    patch = auditor.get(address.replace("compare/", "compare/patch/")).content.decode()

    assert not [text for text in (*seen, patch) if "alpha7" in text or "bravo8" in text]
    assert "9000" in seen[0] and "9000" in seen[1] and "+ mtu 9000" in patch


def test_a_patch_can_be_applied(edge: Device, two: tuple[Checkpoint, Checkpoint], boss: Client) -> None:
    """With the right to see secrets it is what git would say."""
    response = boss.get(f"{COMPARE}patch/?right={edge.snapshots.first().pk}")

    assert response["Content-Disposition"].startswith("attachment")
    assert response.content == (
        b"diff --git a/edge1/running.cfg b/edge1/running.cfg\n--- a/edge1/running.cfg\n+++ b/edge1/running.cfg\n"
        b"@@ -1,4 +1,4 @@\n hostname edge1\n-snmp-server community alpha7 RO\n+snmp-server community bravo8 RO\n"
        b" interface e1\n- mtu 1500\n+ mtu 9000\n"
    )


def test_hostile_text_in_a_difference_stays_text(edge: Device, boss: Client) -> None:
    """Marking words must not open what escaping has closed."""
    back_up(edge, later(1), running_cfg="hostname <b>edge1</b>\x1b[2J <script>one</script>\n")
    back_up(edge, later(2), running_cfg="hostname <b>edge1</b>\x1b[2J <script>two</script>\n")

    text = page(boss.get(f"{COMPARE}?right={edge.snapshots.first().pk}"))

    assert "<script>one" not in text and "<b>edge1" not in text and "\x1b" not in text
    assert "&lt;b&gt;edge1" in text and "\\x1b[2J" in text


def test_a_difference_never_makes_a_page_too_large(edge: Device, boss: Client) -> None:
    """A browser that stands still shows nothing at all."""
    back_up(edge, later(1), running_cfg="".join(f"line {n}\n" for n in range(60_000)))
    back_up(edge, later(2), running_cfg="".join(f"LINE {n}\n" for n in range(60_000)))

    response = boss.get(f"{COMPARE}?right={edge.snapshots.first().pk}")

    assert response.status_code == 200 and len(response.content) < 2_000_000
    assert "too large" in response.content.decode()


def test_two_devices_of_one_tenant_are_compared_by_name(edge: Device, core: Device, boss: Client) -> None:
    """The twin shows what is wrong with the other one."""
    response = boss.get(f"{COMPARE}?right={edge.snapshots.first().pk}&with=core1", follow=True)

    assert "core1/running.cfg →" in page(response)


def test_the_first_version_says_that_it_is_the_first(edge: Device, boss: Client) -> None:
    """An empty page would look like a fault."""
    assert "there is nothing before it" in page(boss.get(f"{COMPARE}?right={edge.snapshots.first().pk}"))


@pytest.mark.parametrize("query", ["", "?right=", "?right=nonsense", "?left=00000000-0000-0000-0000-000000000000"])
def test_parameters_that_name_nothing_are_not_found(edge: Device, boss: Client, query: str) -> None:
    """Not a fault of ours, and nothing that a page could show."""
    assert boss.get(COMPARE + query).status_code == 404


def test_versions_of_others_cannot_be_compared(
    edge: Device, two: tuple[Checkpoint, Checkpoint], stranger: Client
) -> None:
    """On whichever side."""
    mine, theirs = edge.snapshots.first(), two[0]

    for address in (
        f"{COMPARE}?right={mine.pk}",
        f"{COMPARE}patch/?left={mine.pk}",
        f"{LIST}compare/?right={theirs.pk}",
    ):
        assert stranger.get(address).status_code == 404


def test_a_device_of_others_cannot_be_picked_out(two: tuple[Checkpoint, Checkpoint], boss: Client) -> None:
    """Its name would be on the page."""
    hidden = make_device(make_tenant("other"), "hidden1")

    assert boss.get(f"{LIST}compare/?right={two[1].pk}&device={hidden.pk}").status_code == 404


def test_versions_of_two_tenants_are_never_compared(edge: Device, core: Device, db: None) -> None:
    """Even somebody who sees both is told so in a sentence."""
    foreign = make_device(make_tenant("other"), "edge1")
    back_up(foreign, running_cfg="hostname foreign\n")
    root = logged_in(make_user("root", is_superuser=True))

    text = page(root.get(f"{COMPARE}?left={foreign.snapshots.first().pk}&right={edge.snapshots.first().pk}"))

    assert "belong to different tenants" in text


def test_two_checkpoints_are_compared_from_the_list(two: tuple[Checkpoint, Checkpoint], boss: Client) -> None:
    """The older one left, in whatever order they were ticked."""
    chosen = [str(two[1].pk), str(two[0].pk)]
    response = boss.post(LIST, {"action": "compare_two", "_selected_action": chosen}, follow=True)

    assert response.redirect_chain[0][0] == f"{LIST}compare/?left={two[0].pk}&right={two[1].pk}"
    assert "edge1/running.cfg" in page(response)


def test_a_checkpoint_lists_what_changed_since_its_parent(two: tuple[Checkpoint, Checkpoint], boss: Client) -> None:
    """The first question about a moment is what was different."""
    text = page(boss.get(verb(two[1], "change")))

    assert "edge1" in text and "running.cfg" in text and f"compare/?right={two[1].pk}&amp;device=" in text


def test_going_back_shows_its_plan_and_changes_nothing(two: tuple[Checkpoint, Checkpoint], boss: Client) -> None:
    """A GET is only a look."""
    before = Snapshot.objects.count()

    text = page(boss.get(verb(two[0], "go_back")))

    assert "edge1: running.cfg (+2 −2 lines)" in text
    assert Snapshot.objects.count() == before


def test_going_back_keeps_the_old_content_as_a_new_version(
    edge: Device, two: tuple[Checkpoint, Checkpoint], tenant: Tenant
) -> None:
    """Capability D10: the record only grows."""
    restorer = member(tenant, Role.RESTORER)

    agree(restorer, verb(two[0], "go_back"))

    newest, middle, oldest = edge.snapshots.all()[:3]
    assert newest.files == oldest.files != middle.files
    assert (newest.author, tenant.refs.get(name=HEAD).checkpoint.author) == ("m-restorer", "m-restorer")


def test_a_plan_that_is_out_of_date_is_not_carried_out(
    edge: Device, two: tuple[Checkpoint, Checkpoint], boss: Client
) -> None:
    """Nobody has agreed to what it would do now."""
    shown = boss.get(verb(two[0], "go_back"))
    back_up(edge, later(3), running_cfg="hostname edge1\nnew\n")
    before = edge.snapshots.count()

    response = boss.post(verb(two[0], "go_back"), dict(shown.context["hidden"]))

    assert "Something has changed since you looked" in page(response)
    assert edge.snapshots.count() == before


def test_one_device_can_go_back_alone(
    edge: Device, core: Device, two: tuple[Checkpoint, Checkpoint], boss: Client
) -> None:
    """The others go on as they are."""
    checkpoint = create_checkpoint(two[0].tenant, message="both", author="anna", now=later(3))
    back_up(edge, later(4), running_cfg="hostname edge2\n")
    back_up(core, later(4), running_cfg="hostname core2\n")

    agree(boss, f"{verb(checkpoint, 'go_back')}?device={edge.pk}")

    assert (edge.snapshots.count(), core.snapshots.count()) == (5, 2)


def test_an_operator_cannot_go_back(two: tuple[Checkpoint, Checkpoint], tenant: Tenant) -> None:
    """Backing up and putting back are two rights."""
    operator = member(tenant, Role.OPERATOR)

    assert operator.get(verb(two[0], "go_back")).status_code == 403
    assert operator.post(verb(two[0], "go_back"), {"confirmed": "yes"}).status_code == 403


def test_an_export_is_the_whole_checkpoint(two: tuple[Checkpoint, Checkpoint], boss: Client) -> None:
    """Capability B10: what is in the archive is what was kept."""
    response = agree(boss, verb(two[0], "export"))

    archive = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))
    assert response["Content-Type"] == "application/zip"
    assert archive.namelist() == ["edge1/running.cfg", "SHA256SUMS"]
    assert b"alpha7" in archive.read("edge1/running.cfg")


def test_an_export_without_the_right_to_see_secrets_is_masked(
    two: tuple[Checkpoint, Checkpoint], tenant: Tenant
) -> None:
    """Taking everything along must not be a way around."""
    clerk = logged_in(make_user("clerk", (tenant, Role.AUDITOR), permissions=("checkpoints.export_checkpoint",)))

    response = agree(clerk, verb(two[0], "export"))

    archive = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))
    assert b"alpha7" not in archive.read("edge1/running.cfg") and "-masked" in response["Content-Disposition"]


def test_a_checkpoint_is_made_by_hand(tenant: Tenant, edge: Device, core: Device) -> None:
    """Before a change of the network, of the devices that it touches."""
    operator = member(tenant, Role.OPERATOR)
    answers = {"tenant": str(tenant.pk), "message": "Before the move", "tags": "move, q4", "devices": "edge1"}

    agree(operator, f"{LIST}new_checkpoint/", **answers)

    made = Checkpoint.objects.get()
    assert (made.message, made.tags, made.author) == ("Before the move", ["move", "q4"], "m-operator")
    assert (made.whole, made.device_count) == (False, 1)


def test_a_checkpoint_of_a_device_that_does_not_exist_is_refused(tenant: Tenant, edge: Device, boss: Client) -> None:
    """A name with a slip of the pen must not become a checkpoint of everything."""
    answers = {"tenant": str(tenant.pk), "message": "x", "devices": "edge1 edge9"}

    response = agree(boss, f"{LIST}new_checkpoint/", **answers)

    assert "has no device edge9" in page(response)
    assert not Checkpoint.objects.exists()


def test_a_checkpoint_cannot_be_made_for_others(tenant: Tenant, edge: Device, stranger: Client) -> None:
    """Whatever id the form sends."""
    response = agree(stranger, f"{LIST}new_checkpoint/", tenant=str(tenant.pk), message="x")

    assert response.status_code == 200 and not Checkpoint.objects.exists()


def test_a_deleted_checkpoint_can_come_back(two: tuple[Checkpoint, Checkpoint], boss: Client) -> None:
    """Capability D12: its page stays, with one button."""
    agree(boss, verb(two[0], "delete_it"))
    deleted = Checkpoint.objects.get(pk=two[0].pk).deleted_at
    text = page(boss.get(verb(two[0], "change")))
    agree(boss, verb(two[0], "undelete_it"))

    assert deleted and "undelete_it" in text and "go_back" not in text
    assert Checkpoint.objects.get(pk=two[0].pk).deleted_at is None


def test_what_retention_has_marked_says_so_and_comes_back_protected(
    two: tuple[Checkpoint, Checkpoint], boss: Client
) -> None:
    """Capability D12: else it would be gone again the next night, and nobody would know why."""
    delete_checkpoint(two[0], by=NOBODY, now=later(3))
    marked = page(boss.get(verb(two[0], "change")))
    asked = page(boss.get(verb(two[0], "undelete_it")))
    agree(boss, verb(two[0], "undelete_it"))

    assert "because no rule of retention keeps it" in marked and "no rule deletes it again" in asked
    assert "protected" in page(boss.get(verb(two[0], "change")))
    assert "you delete it all the same" in page(boss.get(verb(two[0], "delete_it")))


@pytest.mark.parametrize(
    ("query", "found"),
    [("ref=HEAD", ["after"]), ("protected__exact=1", ["before"]), ("author__icontains=ann", ["before", "after"])],
)
def test_checkpoints_are_found_by_ref_protection_and_author(
    two: tuple[Checkpoint, Checkpoint], boss: Client, query: str, found: list[str]
) -> None:
    """Capability D7: the filters of the list."""
    Checkpoint.objects.filter(pk=two[0].pk).update(protected=True)

    rows = boss.get(f"{LIST}?{query}").context["cl"].result_list

    assert sorted(str(row) for row in rows) == sorted(found)


def test_a_named_checkpoint_is_not_deleted(two: tuple[Checkpoint, Checkpoint], boss: Client) -> None:
    """The plan says which ref stands in the way, and has no button."""
    agree(boss, verb(two[0], "set_name"), name="golden")

    response = boss.get(verb(two[0], "delete_it"))

    assert f"{two[0].short_id} is named by golden" in response.context["plan"].refusal


def test_tags_are_edited_as_a_whole(two: tuple[Checkpoint, Checkpoint], boss: Client) -> None:
    """Capability D5: what is not in the form any more is gone."""
    agree(boss, verb(two[0], "set_tags"), tags="audit, golden")
    agree(boss, verb(two[0], "set_tags"), tags="golden")

    assert Checkpoint.objects.get(pk=two[0].pk).tags == ["golden"]


def test_a_ref_moves_and_remembers_where_it_has_been(two: tuple[Checkpoint, Checkpoint], boss: Client) -> None:
    """Capability D13: who moved `golden`, and from where."""
    for checkpoint in two:
        agree(boss, verb(checkpoint, "set_name"), name="golden")
    ref = Ref.objects.get(name="golden")

    text = page(boss.get(f"/admin/checkpoints/ref/{ref.pk}/change/"))

    assert ref.checkpoint == two[1]
    assert "before" in text and "after" in text


def test_head_cannot_be_deleted(two: tuple[Checkpoint, Checkpoint], boss: Client) -> None:
    """The next checkpoint would have no parent."""
    head = Ref.objects.get(name=HEAD)

    assert "HEAD stays" in page(boss.get(f"/admin/checkpoints/ref/{head.pk}/delete_ref/"))


def test_collecting_garbage_shows_a_dry_run_first(
    tenant: Tenant, edge: Device, core: Device, two: tuple[Checkpoint, Checkpoint], boss: Client
) -> None:
    """Capability D16: what goes is counted before it goes, a look removes nothing, and the page follows it."""
    delete_checkpoint(two[0], by="anna", now=NOON - timedelta(days=400))
    address = f"/admin/inventory/tenant/{tenant.pk}/collect_garbage/"

    text = page(boss.get(address))
    still = Checkpoint.objects.filter(pk=two[0].pk).exists()
    agree(boss, address)
    assert RetentionPolicy.objects.get().step == "waiting for a worker"
    part = f"/admin/inventory/tenant/{tenant.pk}/collection/"
    assert part in page(boss.get(part))
    retention_jobs.collect(str(tenant.pk))
    ended = boss.get(part)
    assert ended["HX-Retarget"] == "#tenant-head" and "every 1s" not in page(ended) and "freed" in page(ended)

    assert "1 checkpoints go" in text and still
    assert not Checkpoint.objects.filter(pk=two[0].pk).exists()


def test_how_far_a_collection_is_is_not_told_to_others(tenant: Tenant, stranger: Client) -> None:
    """Nor that there is such a tenant."""
    assert stranger.get(f"/admin/inventory/tenant/{tenant.pk}/collection/").status_code == 404


def test_only_the_tenants_administrator_collects_garbage(tenant: Tenant, edge: Device) -> None:
    """What is collected cannot be undeleted."""
    address = f"/admin/inventory/tenant/{tenant.pk}/collect_garbage/"

    assert member(tenant, Role.RESTORER).get(address).status_code == 403


def test_chosen_devices_become_a_checkpoint(tenant: Tenant, edge: Device, core: Device, boss: Client) -> None:
    """Ticked in the list, where they can be searched and filtered."""
    address = "/admin/inventory/device/"
    shown = boss.post(address, {"action": "make_checkpoint", "_selected_action": [str(core.pk)]})

    boss.post(address, dict(shown.context["hidden"]) | {"answer-message": "core only"})

    assert (Checkpoint.objects.get().message, Checkpoint.objects.get().device_count) == ("core only", 1)
