"""`hosts list`, `hosts drain|resume|forget NAME`, `hosts assign|unassign --tenant T [--site S]`, `hosts queues`"""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from backups.hosts import beats, queues
from backups.hosts.models import Host, SiteQueue
from inventory.commands import NetcairnCommand, Table, find_tenant, operator, tenant_option
from inventory.errors import AlreadyThere, NotFound

OTHERS = "(all other devices)"


class Command(NetcairnCommand):
    """Which machines work, and for whom."""

    help = "List the hosts whose workers take work, drain one, and say which queue the devices of a site belong to."

    def add_arguments(self, parser: CommandParser) -> None:
        """The verbs."""
        verbs = self.verbs(parser)
        self.verb(verbs, "list", "List the hosts, with what was heard of them last.")
        for name, text in (
            ("drain", "Begin nothing more on a host; what it does now it finishes."),
            ("resume", "Let a host take work again."),
            ("forget", "Take a host off the list that is gone for good."),
        ):
            verb = self.verb(verbs, name, text)
            verb.add_argument("name", metavar="NAME")
            verb.add_argument("--queue", metavar="QUEUE", help="Only its workers for this queue.")
        self.verb(verbs, "queues", "List which queue the devices of which site belong to.")
        assign = self.verb(verbs, "assign", "Let only the workers of a queue take a tenant's devices, or a site's.")
        assign.add_argument("queue", metavar="QUEUE", help="NETCAIRN_QUEUE of those workers; '' for all others.")
        for verb in (assign, self.verb(verbs, "unassign", "Let a site be as the rest of its tenant is.")):
            tenant_option(verb, required=True)
            verb.add_argument("--site", default="", metavar="SITE", help="Without it: all sites not named elsewhere.")

    def handle(self, **options: Any) -> None:
        """One verb."""
        getattr(self, f"do_{options['verb']}")(**options)

    def do_list(self, **_: Any) -> None:
        """`hosts list`"""
        rows = [document(host) for host in Host.objects.all()]
        shown = [
            [one["name"], one["queue"] or OTHERS, one["state"], one["heartbeat_at"], one["version"], one["workers"]]
            for one in rows
        ]
        headings = ["name", "queue", "state", "heard of (UTC)", "version", "workers"]
        self.answer({"hosts": rows}, Table(headings, shown, "No queue was ever started: `netcairn queue` does it."))
        for one in rows:
            if one["refused"]:
                self.tell(f"{one['name']}: {one['refused']}")

    def do_drain(self, name: str, queue: str | None, **_: Any) -> None:
        """`hosts drain`"""
        found = self.find(name, queue)
        beats.drain(found, by=operator())
        self.say(found, "begins nothing more. `hosts list` shows it, `run list` what still goes on.")

    def do_resume(self, name: str, queue: str | None, **_: Any) -> None:
        """`hosts resume`"""
        found = self.find(name, queue)
        beats.resume(found, by=operator())
        self.say(found, "takes work again.")

    def do_forget(self, name: str, queue: str | None, **_: Any) -> None:
        """`hosts forget`"""
        found, now = self.find(name, queue), timezone.now()
        for host in found:
            if host.state(now) in ("working", "draining"):
                raise AlreadyThere(f"Host {host} is at work: stop it first, or it comes back at once.")
        for host in found:
            beats.forget(host, by=operator())
        self.answer({"hosts": [document(host) for host in found]}, f"{name} is forgotten.")

    def do_queues(self, **_: Any) -> None:
        """`hosts queues`"""
        self.show_queues(list(SiteQueue.objects.select_related("tenant")))

    def do_assign(self, queue: str, tenant: str, site: str, **_: Any) -> None:
        """`hosts assign`"""
        self.show_queues([queues.assign(find_tenant(tenant), site, queue, by=operator())])
        if queue and not Host.objects.taking(timezone.now()).filter(queue=queue).exists():
            self.tell(f"No host works for the queue {queue} yet: start `netcairn queue` with NETCAIRN_QUEUE={queue}.")

    def do_unassign(self, tenant: str, site: str, **_: Any) -> None:
        """`hosts unassign`"""
        row = SiteQueue.objects.filter(tenant=find_tenant(tenant), site=site).first()
        if row is None:
            raise NotFound(f"{site or 'The rest'} of tenant {tenant} has no queue of its own: see `hosts queues`.")
        queues.unassign(row, by=operator())
        self.show_queues(list(SiteQueue.objects.select_related("tenant")))

    def find(self, name: str, queue: str | None) -> list[Host]:
        """The rows of a machine. Raises NotFound."""
        found = [host for host in Host.objects.filter(name=name) if queue in (None, host.queue)]
        if not found:
            raise NotFound(f"There is no host {name!r}; `hosts list` shows those that were heard of.")
        return found

    def say(self, found: list[Host], what: str) -> None:
        """What has become of them."""
        fresh = list(Host.objects.filter(pk__in=[host.pk for host in found]))
        self.answer({"hosts": [document(host) for host in fresh]}, f"{', '.join(map(str, fresh))} {what}")

    def show_queues(self, rows: list[SiteQueue]) -> None:
        """As a table."""
        documents = [{"tenant": row.tenant.name, "site": row.site, "queue": row.queue} for row in rows]
        shown = [[one["tenant"], one["site"] or "(all others)", one["queue"] or OTHERS] for one in documents]
        empty = "Every worker takes every device; `hosts assign` changes that for a site."
        self.answer({"queues": documents}, Table(["tenant", "site", "queue"], shown, empty))


def document(host: Host) -> dict[str, Any]:
    """A host as `--json` shows it."""
    fields = ("name", "queue", "version", "workers", "started_at", "heartbeat_at", "stopped_at")
    said = {field: getattr(host, field) for field in (*fields, "draining_at", "draining_by", "refused")}
    return said | {"state": host.state(timezone.now())}
