"""`devices import FILE --tenant T [--dry-run]`, `devices list [--tenant T]`, `devices host-keys …`"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from inventory.audit import record
from inventory.commands import NetcairnCommand, Table, WrongUse, find_tenant, operator, tenant_option
from inventory.device_csv import MAX_BYTES
from inventory.errors import ImportRefused
from inventory.management.commands import _host_keys as host_keys
from inventory.models import Device
from inventory.services import ImportResult, import_devices


class Command(NetcairnCommand):
    """Devices in bulk."""

    help = "Import devices from CSV, list them, or look after their host keys."

    def add_arguments(self, parser: CommandParser) -> None:
        """The verbs."""
        verbs = self.verbs(parser)
        bring = self.verb(verbs, "import", "Add and update a tenant's devices from a CSV file, all of them or none.")
        bring.add_argument("file", metavar="FILE", help="CSV in UTF-8; `-` reads standard input.")
        tenant_option(bring, required=True)
        bring.add_argument("--dry-run", action="store_true", help="Check and count, but write nothing.")
        tenant_option(self.verb(verbs, "list", "List devices."))
        host_keys.add_arguments(self, self.verb(verbs, "host-keys", "Pinned SSH host keys: list, import, judge."))

    def handle(self, *args: Any, **options: Any) -> None:
        """One verb."""
        if options["verb"] == "host-keys":
            host_keys.handle(self, options)
        elif options["verb"] == "list":
            self.list_devices(options["tenant"])
        else:
            self.import_file(options["file"], options["tenant"], dry_run=options["dry_run"])

    def import_file(self, file: str, tenant_name: str, *, dry_run: bool) -> None:
        """Import, and say what came of it."""
        tenant = find_tenant(tenant_name)
        told = {"tenant": tenant.name, "dry_run": dry_run}
        try:
            result = import_devices(tenant, read_file(file), dry_run=dry_run)
        except ImportRefused as error:
            if self.as_json:
                nothing = {"added": 0, "updated": 0, "unchanged": 0}
                self.answer(told | nothing | {"problems": error.problems}, "")
            raise
        if not dry_run:
            done = {kind: number for kind, number in result.counts().items() if number}
            record(tenant, by=operator(), action="device.imported", about=tenant.name, detail=done)
        self.answer(told | result.counts() | {"problems": []}, summary(result))

    def list_devices(self, tenant: str | None) -> None:
        """All devices, retired ones included."""
        devices = Device.objects.select_related("tenant", "credential", "jump_host").order_by("tenant__name", "name")
        if tenant is not None:
            devices = devices.filter(tenant=find_tenant(tenant))
        rows = [described(device) for device in devices]
        columns = ("tenant", "name", "address", "port", "platform", "credential", "site", "tags", "enabled")
        shown = [[*(row[column] for column in columns[:7]), " ".join(row["tags"]), row["enabled"]] for row in rows]
        empty = "There are no devices yet; bring some with `devices import FILE --tenant NAME`."
        self.answer({"devices": rows}, Table(columns, shown, empty))


def described(device: Device) -> dict[str, Any]:
    """A device as JSON has it."""
    return {
        "id": device.pk,
        "tenant": device.tenant.name,
        "name": device.name,
        "address": device.address,
        "port": device.port,
        "platform": device.platform,
        "credential": device.credential.name if device.credential else None,
        "jump_host": device.jump_host.name if device.jump_host else None,
        "transport": device.transport,
        "host_key": device.host_key_fingerprint(),
        "other_host_key": device.presented_fingerprint(),
        "site": device.site,
        "tags": device.tags,
        "enabled": device.enabled,
        "retired_at": device.retired_at,
    }


def read_file(name: str) -> bytes:
    """The file's bytes; one more than may be, so that a longer one is recognised without reading all of it."""
    if name == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        with Path(name).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise WrongUse(f"The file {name} cannot be read: {error.strerror}.") from error


def summary(result: ImportResult) -> str:
    """`Added 3, updated 1, unchanged 12.`"""
    told = ", ".join(f"{kind} {number}" for kind, number in result.counts().items()) + "."
    return f"Nothing was written; this import would come to: {told}" if result.dry_run else told.capitalize()
