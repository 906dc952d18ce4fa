"""`devices host-keys list | import FILE | accept NAME | keep NAME`: the pinned SSH host keys."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from inventory import host_key_services
from inventory.commands import NetcairnCommand, Table, WrongUse, find_device, find_tenant, operator, tenant_option
from inventory.errors import NotFound
from inventory.host_key_services import PinImport, import_known_hosts
from inventory.host_keys import MAX_BYTES, fingerprint
from inventory.jump_hosts import JumpHost
from inventory.models import Device
from inventory.pinned import Pinned


def add_arguments(command: NetcairnCommand, parser: CommandParser) -> None:
    """The verbs below `host-keys`."""
    verbs = parser.add_subparsers(dest="key_verb", required=True, metavar="VERB")
    tenant_option(command.verb(verbs, "list", "Pinned keys as fingerprints, and those that wait to be judged."))
    bring = command.verb(verbs, "import", "Pin the keys that a known_hosts file has for a tenant's devices.")
    bring.add_argument("file", metavar="FILE", help="As OpenSSH writes it, hashed or not; `-` reads standard input.")
    tenant_option(bring, required=True)
    bring.add_argument("--dry-run", action="store_true", help="Say what would be pinned, and write nothing.")
    accept = command.verb(verbs, "accept", "Trust the key that a device shows instead of the pinned one.")
    accept.add_argument("--fingerprint", required=True, metavar="SHA256:…", help="Of the new key, as `list` shows it.")
    keep = command.verb(verbs, "keep", "Go on with the pinned key; whoever showed another was not the device.")
    for judging in (accept, keep):
        judging.add_argument("name", metavar="NAME")
        judging.add_argument("--jump-host", action="store_true", help="NAME is a jump host.")
        tenant_option(judging)


def handle(command: NetcairnCommand, options: dict[str, Any]) -> None:
    """One verb."""
    if options["key_verb"] == "list":
        list_keys(command, options["tenant"])
    elif options["key_verb"] == "import":
        bring_keys(command, options)
    else:
        judge(command, options)


def list_keys(command: NetcairnCommand, tenant: str | None) -> None:
    """Devices and jump hosts with their fingerprints."""
    rows: list[Pinned] = []
    for model in (Device, JumpHost):
        found = model.objects.select_related("tenant").order_by("tenant__name", "name")
        rows += found.filter(tenant=find_tenant(tenant)) if tenant else found
    document = [
        {
            "tenant": row.tenant.name,
            "name": str(row),
            "kind": host_key_services.kind_of(row),
            "pinned": row.host_key_fingerprint(),
            "other": row.presented_fingerprint(),
            "other_since": row.presented_at,
        }
        for row in rows
    ]
    shown = [[one["tenant"], one["name"], one["pinned"] or "-", one["other"] or "-"] for one in document]
    empty = "There are no devices yet."
    command.answer({"host_keys": document}, Table(("tenant", "name", "pinned", "another, to be judged"), shown, empty))


def bring_keys(command: NetcairnCommand, options: dict[str, Any]) -> None:
    """Import, and say what came of it; exit status 1 where a pinned key differs from the file's."""
    tenant = find_tenant(options["tenant"])
    outcome = import_known_hosts(tenant, read(options["file"]), by=operator(), dry_run=options["dry_run"])
    document = {
        "tenant": tenant.name,
        "dry_run": outcome.dry_run,
        "not_named": outcome.not_named,
        "unreadable_lines": outcome.unreadable,
        "hosts": [
            {
                "name": str(pin.row),
                "kind": host_key_services.kind_of(pin.row),
                "outcome": pin.found,
                "file": fingerprint(pin.key),
                "before": pin.row.host_key_fingerprint() if pin.found != "pinned" else "",
            }
            for pin in outcome.pins
        ],
    }
    command.answer(document, told(outcome))
    if outcome.of("differs"):
        sys.exit(1)


def told(outcome: PinImport) -> str:
    """For people: what was pinned in one line, and each that differs."""
    numbers = {found: len(outcome.of(found)) for found in ("pinned", "same", "differs")}  # type: ignore[arg-type]
    begin = "Nothing was written; this import would come to: " if outcome.dry_run else ""
    lines = [
        f"{begin}{numbers['pinned']} pinned, {numbers['same']} the same as before, {numbers['differs']} differ, "
        f"{outcome.not_named} not in the file."
    ]
    lines += [
        f"{pin.row}: {pin.row.host_key_fingerprint()} is pinned and stays; the file has {fingerprint(pin.key)}."
        for pin in outcome.of("differs")
    ]
    if outcome.unreadable:
        lines.append(f"Lines that hold no key that can be pinned: {', '.join(map(str, outcome.unreadable[:20]))}.")
    return "\n".join(lines)


def judge(command: NetcairnCommand, options: dict[str, Any]) -> None:
    """Accept the new key, or keep the old one."""
    row = find(options["name"], options["tenant"], jump_host=options["jump_host"])
    if options["key_verb"] == "keep":
        host_key_services.keep(row, by=operator())
        command.answer({"name": str(row), "pinned": row.host_key_fingerprint()}, f"{row} keeps its pinned key.")
        return
    wanted = options["fingerprint"].split()[-1]
    shown = row.presented_fingerprint()
    if not shown or shown.split()[-1] != wanted:
        raise NotFound(f"{row} has shown {shown or 'no other key'}, and not {wanted}; nothing was accepted.")
    host_key_services.accept(row, by=operator(), presented=row.presented_key)
    command.answer({"name": str(row), "pinned": shown}, f"{row} is now known by {shown}.")


def find(name: str, tenant: str | None, *, jump_host: bool) -> Pinned:
    """By name. Raises NotFound, Ambiguous."""
    if not jump_host:
        return find_device(name, tenant)
    found = JumpHost.objects.select_related("tenant").filter(name=name)
    rows = list(found.filter(tenant=find_tenant(tenant)) if tenant else found)
    if len(rows) != 1:
        raise NotFound(f"There {'is no jump host' if not rows else 'are several jump hosts'} {name!r}; give --tenant.")
    return rows[0]


def read(name: str) -> bytes:
    """The file's bytes. Raises WrongUse."""
    try:
        data = sys.stdin.buffer.read(MAX_BYTES + 1) if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise WrongUse(f"The file {name} cannot be read: {error.strerror}.") from error
    if len(data) > MAX_BYTES:
        raise WrongUse(f"The file {name} is larger than {MAX_BYTES // 1024 // 1024} MB.")
    return data
