"""`schedule add|list|remove|enable|disable`"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from backups import scheduling
from backups.errors import BadSchedule
from backups.models import Schedule
from inventory.audit import record
from inventory.commands import NetcairnCommand, Table, WrongUse, find_device, find_tenant, operator, tenant_option

VERBS = {
    "remove": "Remove a schedule; its runs stay.",
    "enable": "Let a schedule start again.",
    "disable": "Let a schedule rest.",
}


class Command(NetcairnCommand):
    """When devices are collected without anybody asking."""

    help = "Say which devices of a tenant are collected when."

    def add_arguments(self, parser: CommandParser) -> None:
        """The verbs."""
        verbs = self.verbs(parser)
        self.adding(self.verb(verbs, "add", "Collect devices by a cron text."))
        tenant_option(self.verb(verbs, "list", "List the schedules, with their next start."))
        for name, text in VERBS.items():
            verb = self.verb(verbs, name, text)
            verb.add_argument("name", metavar="NAME")
            tenant_option(verb, required=True)

    def adding(self, parser: CommandParser) -> None:
        """Who, and when."""
        parser.add_argument("name", metavar="NAME")
        tenant_option(parser, required=True)
        parser.add_argument("--cron", required=True, metavar="TEXT", help="Five fields: '0 2 * * *' is nightly at two.")
        parser.add_argument("--timezone", default="UTC", metavar="ZONE", help="Such as Europe/Zurich.")
        for kind in ("site", "tag", "device"):
            text = f"Only devices of this {kind}" if kind != "device" else "Only this device"
            parser.add_argument(f"--{kind}", action="append", default=[], metavar="NAME", help=f"{text}; repeatable.")
        parser.add_argument(
            "--jitter", type=int, default=0, metavar="MINUTES", help="Put each start off by up to that."
        )
        parser.add_argument(
            "--blackout",
            action="append",
            default=[],
            metavar="WINDOW",
            help="Never start then: 'Mon-Fri 08:00-18:00'; repeatable.",
        )

    def handle(self, **options: Any) -> None:
        """One verb."""
        verb = options["verb"]
        if verb == "add":
            self.add(options)
        elif verb == "list":
            self.list_schedules(options["tenant"])
        elif verb == "remove":
            self.remove(options)
        else:
            self.switch(options, on=verb == "enable")

    def add(self, options: dict[str, Any]) -> None:
        """`schedule add`"""
        tenant = find_tenant(options["tenant"])
        try:
            schedule = scheduling.add_schedule(
                tenant,
                options["name"],
                cron=options["cron"],
                zone=options["timezone"],
                sites=options["site"],
                tags=options["tag"],
                devices=[find_device(name, tenant) for name in dict.fromkeys(options["device"])],
                jitter=options["jitter"],
                blackouts=options["blackout"],
                now=timezone.now(),
            )
        except BadSchedule as error:
            raise WrongUse(str(error)) from error
        record(tenant, by=operator(), action="schedule.added", about=schedule.name, detail={"cron": schedule.cron})
        told = f"Schedule {schedule.name} was added: {schedule.scope()}, next at {schedule.next_at:%Y-%m-%d %H:%M} UTC."
        if not schedule.devices().exists():
            self.tell("No enabled device fits it yet.")
        self.answer(schedule_document(schedule), told)

    def list_schedules(self, tenant_name: str | None) -> None:
        """`schedule list`"""
        schedules = Schedule.objects.select_related("tenant", "last_run").order_by("tenant__name", "name")
        if tenant_name:
            schedules = schedules.filter(tenant=find_tenant(tenant_name))
        rows = [schedule_document(schedule) for schedule in schedules]
        headings = ("tenant", "name", "cron", "timezone", "scope", "enabled", "next_at", "trouble")
        shown = [[row[heading] for heading in headings] for row in rows]
        empty = "There are no schedules yet; add one with `schedule add NAME --tenant T --cron '0 2 * * *'`."
        self.answer({"schedules": rows}, Table([*headings[:-2], "next (UTC)", "trouble"], shown, empty))

    def remove(self, options: dict[str, Any]) -> None:
        """`schedule remove`"""
        schedule = scheduling.find_schedule(find_tenant(options["tenant"]), options["name"])
        document = schedule_document(schedule)
        schedule.delete()
        record(schedule.tenant, by=operator(), action="schedule.deleted", about=schedule.name)
        self.answer(document, f"Schedule {options['name']} was removed.")

    def switch(self, options: dict[str, Any], *, on: bool) -> None:
        """`schedule enable` and `schedule disable`"""
        schedule = scheduling.find_schedule(find_tenant(options["tenant"]), options["name"])
        scheduling.switch(schedule, on=on, now=timezone.now())
        done = "enabled" if on else "disabled"
        record(schedule.tenant, by=operator(), action=f"schedule.{done}", about=schedule.name)
        self.answer(schedule_document(schedule), f"Schedule {schedule.name} is {'enabled' if on else 'disabled'}.")


def schedule_document(schedule: Schedule) -> dict[str, Any]:
    """A schedule as `--json` shows it."""
    return {
        "id": schedule.pk,
        "tenant": schedule.tenant.name,
        "name": schedule.name,
        "cron": schedule.cron,
        "timezone": schedule.zone,
        "scope": schedule.scope(),
        "sites": schedule.sites,
        "tags": schedule.tags,
        "devices": list(schedule.chosen.order_by("device__name").values_list("device__name", flat=True)),
        "jitter": schedule.jitter,
        "blackouts": schedule.blackouts,
        "enabled": schedule.enabled,
        "next_at": schedule.next_at,
        "last_run": schedule.last_run_id,
        "trouble": schedule.trouble or None,
    }
