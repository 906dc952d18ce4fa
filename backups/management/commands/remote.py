"""`remote status`, `remote publish`, `remote check`, `remote sweep`"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone

from backups.errors import StoreError
from backups.models import Repository
from backups.remote import manifest as documents
from backups.remote import repacking
from backups.remote.current import bring_up_to_date
from backups.remote.opening import is_set, keep_days, open_objects
from backups.remote.publishing import Latest, latest
from inventory.commands import NetcairnCommand, Table, WrongUse, find_tenant, tenant_option
from inventory.models import Tenant

Row = dict[str, object]


class Command(NetcairnCommand):
    """What the object store has."""

    help = "Say what the object store has of each tenant, bring it up to date, read it, or take away what is old."

    def add_arguments(self, parser: CommandParser) -> None:
        """The verbs."""
        verbs = self.verbs(parser)
        for name, text in (
            ("status", "What the object store has of each tenant."),
            ("publish", "Bring it up to date now."),
            ("check", "Read all of the newest state there, and hold it to its hashes."),
            ("sweep", "Take away what no manifest of the last days names."),
        ):
            tenant_option(self.verb(verbs, name, text))

    def handle(self, **options: Any) -> None:
        """One verb for each tenant; a failure of one does not keep the others waiting. Exit 1 where there was one."""
        if not is_set():
            raise WrongUse("No object store is named: set NETCAIRN_OBJECT_STORE (docs/environment.md).")
        ways: dict[str, Callable[[Tenant], Row]] = {
            "status": status,
            "publish": published,
            "check": check,
            "sweep": sweep,
        }
        tenants = [find_tenant(options["tenant"])] if options["tenant"] else list(Tenant.objects.order_by("name"))
        rows = list(self.rows(tenants, ways[options["verb"]]))
        headings = list(dict.fromkeys(name for row in rows for name in row))
        table = Table(headings, [[row.get(name, "") for name in headings] for row in rows], empty="There is no tenant.")
        self.answer({"object_store": settings.NETCAIRN_OBJECT_STORE, "tenants": rows}, table)
        if any("trouble" in row for row in rows):
            sys.exit(1)

    def rows(self, tenants: list[Tenant], way: Callable[[Tenant], Row]) -> Iterator[Row]:
        """A row for each tenant."""
        for tenant in tenants:
            try:
                yield {"tenant": tenant.name, **way(tenant)}
            except StoreError as error:
                yield {"tenant": tenant.name, "trouble": str(error)}


def status(tenant: Tenant) -> Row:
    """What is there, and what is here."""
    here = Repository.objects.filter(pk=tenant.pk).values_list("seq", flat=True).first()
    return told(latest(open_objects(), tenant.pk)) | {"here": here}


def published(tenant: Tenant) -> Row:
    """Brought up to date."""
    if Repository.objects.filter(pk=tenant.pk, head__isnull=False).exists():
        bring_up_to_date(tenant.pk)
    return told(latest(open_objects(), tenant.pk))


def check(tenant: Tenant) -> Row:
    """Every object that the newest manifest names is what it was."""
    objects = open_objects()
    last = latest(objects, tenant.pk)
    if last is None:
        return told(None)
    for pack in last.manifest.packs:
        for name, sha256 in zip(pack.objects(), (pack.sha256, pack.index), strict=True):
            there = objects.get(documents.pack_object(tenant.pk, name)).content
            if hashlib.sha256(there).hexdigest() != sha256:
                return told(last) | {"trouble": f"{name} is not what it was when it was written."}
    return told(last)


def sweep(tenant: Tenant) -> Row:
    """What went."""
    swept = repacking.sweep(tenant.pk, now=timezone.now(), keep=keep_days())
    return {"objects": swept.objects, "bytes": swept.size}


def told(last: Latest | None) -> Row:
    """A manifest in a few words."""
    if last is None:
        return {"manifest": None, "batch": None, "packs": 0, "bytes": 0, "at": None}
    one = last.manifest
    size = sum(pack.size + pack.index_size for pack in one.packs)
    return {"manifest": one.seq, "batch": one.batch, "packs": len(one.packs), "bytes": size, "at": one.at}
