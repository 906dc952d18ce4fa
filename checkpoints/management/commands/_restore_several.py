"""The verbs of `restore` where they are about several devices in one request."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

from django.utils import timezone

from backups.conf import threads
from checkpoints.find import find_checkpoint, with_id
from checkpoints.models import Restore, RestoreGroup
from checkpoints.restore_documents import group_document, group_table, group_text
from checkpoints.restore_group import approve_group, devices_of, plan_group, push_group, request_group, stop_group
from checkpoints.restore_jobs import enqueue_group_push, live_means
from checkpoints.restore_reaper import reap_restores
from inventory.commands import NetcairnCommand, WrongUse, find_device, find_tenant, operator


class SeveralVerbs(NetcairnCommand):
    """Planned together, agreed to together, carried out in their order."""

    def plan_several(self, options: dict[str, Any]) -> None:
        """Ask and plan; exit 1 where one of the plans cannot be carried out."""
        tenant = find_tenant(options["tenant"]) if options["tenant"] else None
        checkpoint = find_checkpoint(options["version"], tenant)
        names = dict.fromkeys(options["device"])
        devices = [find_device(name, checkpoint.tenant) for name in names] or devices_of(checkpoint)
        means = live_means()
        reap_restores(means)
        group = request_group(
            checkpoint,
            devices,
            by=operator(),
            minutes=options["minutes"],
            at_a_time=options["at_a_time"],
            now=timezone.now(),
        )
        plan_group(group, by=operator(), means=means, threads=threads())
        masked = not options["raw"]
        self.answer(group_document(group), "" if self.as_json else group_text(group, masked=masked))
        if any(one.plan.get("obstacles") for one in group.in_order() if one.state == Restore.State.PLANNED):
            sys.exit(1)
        self.tell(f"Nothing was sent to a device. To carry it out: restore apply {group.short_id}")

    def approve_several(self, group: RestoreGroup, _options: dict[str, Any]) -> None:
        """Agree to all the plans as they are."""
        approve_group(group, fingerprint=group.fingerprint, by=operator(), now=timezone.now())
        self.answer(group_document(group), f"Approved. To carry it out: restore apply {group.short_id}")

    def apply_several(self, group: RestoreGroup, options: dict[str, Any]) -> None:
        """Agree, unless somebody has already, and carry it out; exit 1 unless every device runs its version."""
        if not options["yes"]:
            self.ask_for_number(group)
        if not group.approved_by:
            approve_group(group, fingerprint=group.fingerprint, by=operator(), now=timezone.now())
        if options["queue"]:
            enqueue_group_push(group, by=operator())
            self.answer(group_document(group), f"Queued. To see how it goes: restore status {group.short_id}")
            return
        push_group(group, by=operator(), means=replace(live_means(), ended=lambda _: self.show_progress(group)))
        self.answer(group_document(group), group_table(group))
        if group.stopped:
            self.tell(f"Stopped: {group.stopped}")
            sys.exit(1)

    def show_progress(self, group: RestoreGroup) -> None:
        """After each device."""
        self.tell(", ".join(f"{number} {word}" for word, number in group.progress().items() if number))

    def ask_for_number(self, group: RestoreGroup) -> None:
        """Show the plans and wait for the number of devices. Raises WrongUse without it."""
        self.tell(group_text(group, masked=True))
        number = str(len(group.in_order()))
        if not sys.stdin.isatty():
            raise WrongUse("This changes devices; look at the plans above, then say --yes.")
        self.stderr.write(f"\nType the number of devices ({number}) to carry this out: ", ending="")
        self.stderr.flush()
        if sys.stdin.readline().strip() != number:
            raise WrongUse("Nothing was sent to a device.")

    def status_several(self, group: RestoreGroup, options: dict[str, Any]) -> None:
        """Where each device stands."""
        people = "" if self.as_json else f"{group_text(group, masked=not options['raw'])}\n\n{group_table(group)}"
        self.answer(group_document(group), people)

    def cancel_several(self, group: RestoreGroup, _options: dict[str, Any]) -> None:
        """Begin no more devices."""
        stop_group(group, by=operator(), now=timezone.now())
        self.answer(group_document(group), "No more devices are begun; those under way are finished.")


def find_group(text: str) -> RestoreGroup | None:
    """The request of that id, or of that beginning of an id; None where it is one device's, or nothing."""
    found = list(with_id(RestoreGroup.objects.select_related("tenant", "checkpoint"), text))
    return found[0] if len(found) == 1 else None
