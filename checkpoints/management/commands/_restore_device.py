"""The verbs of `restore` that are about a device: plan, approve, apply, status, list, cancel, look, settle."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from checkpoints.device_restore import push_restore
from checkpoints.errors import AmbiguousVersion, UnknownVersion
from checkpoints.find import find_version, with_id
from checkpoints.management.commands._restore_several import SeveralVerbs, find_group
from checkpoints.models import Restore
from checkpoints.push import Outcome
from checkpoints.restore_documents import passed_table, plan_text, restore_document, restore_row, restore_table
from checkpoints.restore_jobs import enqueue_push, live_means
from checkpoints.restore_planning import approve_restore, cancel_restore, plan_restore, request_restore
from checkpoints.restore_reaper import SHOWS, look_again, reap_restores, settle_restore
from checkpoints.restore_rules import rules_of, set_rules
from inventory.commands import WrongUse, find_device, find_tenant, operator, tenant_option
from inventory.models import Device

SHOWN = 50  # restores in a list
State = Restore.State


class DeviceVerbs(SeveralVerbs):
    """To a device: planned, looked at, agreed to, carried out."""

    def add_device_verbs(self, verbs: Any) -> None:
        """Each with what it takes."""
        plan = self.verb(verbs, "plan", "Look at a device, and show what putting a version back would do.")
        plan.add_argument("version", metavar="CHECKPOINT", help="A checkpoint, a ref, or a version of the device.")
        plan.add_argument(
            "--device", action="append", default=[], metavar="NAME", help="The device that goes back; several in order."
        )
        plan.add_argument("--all", action="store_true", help="All devices of the checkpoint.")
        plan.add_argument(
            "--at-a-time", type=int, default=1, metavar="N", help="So many of several devices at once; 1."
        )
        plan.add_argument("--minutes", type=int, default=5, help="Until the device goes back by itself; 5.")
        tenant_option(plan)
        apply = self.verb(verbs, "apply", "Carry a plan out on the device.")
        apply.add_argument("--yes", action="store_true", help="Do not ask.")
        apply.add_argument("--queue", action="store_true", help="Leave the work to the queue workers.")
        settle = self.verb(verbs, "settle", "Say what you found on a device after a restore of unknown outcome.")
        settle.add_argument("--note", required=True, help="What you found.")
        several = self.verb(verbs, "list", "Restores to devices, newest first.")
        several.add_argument("--device", metavar="NAME", help="Only of this one.")
        tenant_option(several)
        rules = self.verb(verbs, "rules", "Who has to approve a tenant's restores, and when devices may be changed.")
        rules.add_argument("--four-eyes", choices=("yes", "no"), help="Whether a second person has to approve.")
        rules.add_argument(
            "--window",
            action="append",
            metavar="WINDOW",
            help="Change devices only then: 'Sat 22:00-06:00'.",
        )
        rules.add_argument("--any-time", action="store_true", help="Forget the windows.")
        rules.add_argument("--zone", help="Time zone of the windows, such as Europe/Zurich.")
        tenant_option(rules, required=True)
        status = self.verb(verbs, "status", "A restore with its plan and every state that it passed.")
        others = [
            self.verb(verbs, "approve", "Agree to a plan, and push it later."),
            self.verb(verbs, "cancel", "Call off a restore that has not begun."),
            self.verb(verbs, "look", "Read a device in an unknown state again."),
        ]
        for parser in (apply, settle, status, *others):
            parser.add_argument("restore", metavar="ID", help="A restore's id, or at least 8 digits of it.")
        for parser in (plan, status):
            self.raw_option(parser)

    def raw_option(self, parser: CommandParser) -> None:
        """Let the command take `--raw`."""
        parser.add_argument("--raw", action="store_true", help="Show secrets of the configuration in clear.")

    def handle_device_verb(self, verb: str, options: dict[str, Any]) -> None:
        """One verb, one method."""
        act: Callable[[dict[str, Any]], None] = getattr(self, f"do_{verb}")
        act(options)

    def do_plan(self, options: dict[str, Any]) -> None:
        """Ask and plan; exit 1 where the plan cannot be carried out."""
        if options["all"] or len(options["device"]) > 1:
            self.plan_several(options)
            return
        if not options["device"]:
            raise WrongUse("Name the device that goes back with --device, or say --all.")
        device = find_device(options["device"][0], options["tenant"])
        version = find_version(options["version"], device.tenant)
        if isinstance(version, Device):
            raise WrongUse(f"{options['version']!r} is a device; name a checkpoint, a ref or a version.")
        means = live_means()
        reap_restores(means)
        by = operator()
        restore = request_restore(device, version, by=by, minutes=options["minutes"], now=timezone.now())
        plan_restore(restore, by=by, means=means)
        self.show_plan(restore, masked=not options["raw"])
        if restore.plan["obstacles"]:
            sys.exit(1)
        self.tell(f"Nothing was sent to the device. To carry it out: restore apply {restore.short_id}")

    def show_plan(self, restore: Restore, *, masked: bool) -> None:
        """The plan, for programs or for people."""
        self.answer(restore_document(restore, masked=masked), plan_text(restore, masked=masked))

    def do_approve(self, options: dict[str, Any]) -> None:
        """Agree to the plan as it is."""
        if group := find_group(options["restore"]):
            self.approve_several(group, options)
            return
        restore = find_restore(options["restore"])
        approve_restore(restore, fingerprint=restore.fingerprint, by=operator(), now=timezone.now())
        self.answer(restore_document(restore), f"Approved. To carry it out: restore apply {restore.short_id}")

    def do_apply(self, options: dict[str, Any]) -> None:
        """Agree, unless somebody has already, and carry it out; exit 1 unless it is confirmed and saved."""
        if group := find_group(options["restore"]):
            self.apply_several(group, options)
            return
        restore, by = find_restore(options["restore"]), operator()
        means = replace(live_means(), told=self.tell)
        reap_restores(means)
        restore.refresh_from_db()
        if not options["yes"] and restore.state in (State.PLANNED, State.APPROVED):
            self.ask_for_name(restore)
        if restore.state == State.PLANNED:
            approve_restore(restore, fingerprint=restore.fingerprint, by=by, now=timezone.now())
        if options["queue"]:
            enqueue_push(restore, by=by)
            self.answer(restore_document(restore), f"Queued. To see how it goes: restore status {restore.short_id}")
            return
        try:
            outcome = push_restore(restore, by=by, means=means)
        except KeyboardInterrupt:
            self.tell(
                f"Interrupted; what the device did is found out within minutes: restore status {restore.short_id}"
            )
            raise
        self.report(restore, outcome)

    def ask_for_name(self, restore: Restore) -> None:
        """Show the plan and wait for the device's name. Raises WrongUse without it."""
        self.tell(plan_text(restore))
        if not sys.stdin.isatty():
            raise WrongUse("This changes a device; look at the plan above, then say --yes.")
        self.stderr.write(f"\nType {restore.device.name} to carry this out: ", ending="")
        self.stderr.flush()
        if sys.stdin.readline().strip() != restore.device.name:
            raise WrongUse("Nothing was sent to the device.")

    def report(self, restore: Restore, outcome: Outcome) -> None:
        """What came of it."""
        good = outcome.result == "confirmed" and outcome.saved
        sentence = f"{restore.device.name} runs the version, and starts with it." if good else outcome.detail
        self.answer(restore_document(restore), f"{restore.get_state_display()}: {sentence}")
        if outcome.result == "unknown":
            self.tell(f"The device is blocked for restores until: restore settle {restore.short_id} --note TEXT")
        if not good:
            sys.exit(1)

    def do_status(self, options: dict[str, Any]) -> None:
        """All of it."""
        if group := find_group(options["restore"]):
            self.status_several(group, options)
            return
        restore = find_restore(options["restore"])
        masked = not options["raw"]
        people = "" if self.as_json else f"{plan_text(restore, masked=masked)}\n\n{passed_table(restore)}"
        self.answer(restore_document(restore, masked=masked), people)

    def do_list(self, options: dict[str, Any]) -> None:
        """Newest first."""
        restores = Restore.objects.select_related("tenant", "device")
        if options["tenant"]:
            restores = restores.filter(tenant=find_tenant(options["tenant"]))
        if options["device"]:
            restores = restores.filter(device=find_device(options["device"], options["tenant"]))
        found = list(restores[:SHOWN])
        self.answer({"restores": [restore_row(restore) for restore in found]}, restore_table(found))

    def do_cancel(self, options: dict[str, Any]) -> None:
        """Before it has begun."""
        if group := find_group(options["restore"]):
            self.cancel_several(group, options)
            return
        restore = find_restore(options["restore"])
        cancel_restore(restore, by=operator(), now=timezone.now())
        self.answer(restore_document(restore), restore.detail)

    def do_look(self, options: dict[str, Any]) -> None:
        """Exit 1 as long as nobody knows what the device is to run."""
        restore = find_restore(options["restore"])
        seen = look_again(restore, by=operator(), means=live_means())
        self.answer(restore_document(restore), f"{restore.device.name}: {SHOWS[seen]}. The restore is {restore.state}.")
        if restore.state == State.UNKNOWN:
            sys.exit(1)

    def do_rules(self, options: dict[str, Any]) -> None:
        """Set, or show."""
        tenant = find_tenant(options["tenant"])
        eyes = options["four_eyes"] and options["four_eyes"] == "yes"
        windows = [] if options["any_time"] else options["window"]
        if (eyes, windows, options["zone"]) != (None, None, None):
            set_rules(tenant, by=operator(), four_eyes=eyes, windows=windows, zone=options["zone"])
        rules = rules_of(tenant)
        told = "somebody else has to approve what one asks for" if rules.four_eyes else "whoever asks may approve"
        when = f"{'; '.join(rules.windows)} ({rules.zone})" if rules.windows else "at any time"
        document = {"four_eyes": rules.four_eyes, "windows": rules.windows, "zone": rules.zone}
        self.answer({"tenant": tenant.name, **document}, f"{tenant}: {told}; devices are changed {when}.")

    def do_settle(self, options: dict[str, Any]) -> None:
        """The device may be restored again."""
        restore = find_restore(options["restore"])
        settle_restore(restore, by=operator(), note=options["note"], now=timezone.now())
        self.answer(restore_document(restore), f"{restore.device.name} may be restored again.")


def find_restore(text: str) -> Restore:
    """The restore of that id, or of that beginning of an id. Raises UnknownVersion, AmbiguousVersion."""
    restores = Restore.objects.select_related("tenant", "device__tenant", "before", "checkpoint")
    found = list(with_id(restores, text))
    if not found:
        raise UnknownVersion(
            f"There is no restore {text!r}: give an id, or at least 8 digits of one; see `restore list`."
        )
    if len(found) > 1:
        raise AmbiguousVersion(f"{text!r} may mean {len(found)} restores: give the full id.")
    return found[0]
