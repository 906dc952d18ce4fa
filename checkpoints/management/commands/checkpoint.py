"""`checkpoint create|list|show|tag|delete|undelete|export`"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from backups.store.reader import open_store
from checkpoints import manifest, uploads
from checkpoints.documents import checkpoint_document, checkpoint_table
from checkpoints.errors import NothingKept
from checkpoints.export import ARCHIVES, export_archive, export_checkpoint
from checkpoints.find import find_checkpoint
from checkpoints.models import Checkpoint
from checkpoints.services import create_checkpoint, delete_checkpoint, tag_checkpoint, undelete_checkpoint
from checkpoints.uploading import upload_checkpoint
from checkpoints.uploads import read_upload
from inventory.audit import record
from inventory.commands import (
    NetcairnCommand,
    Table,
    WrongUse,
    cell_text,
    find_device,
    find_tenant,
    operator,
    tenant_option,
)
from inventory.models import Device, Tenant


class Command(NetcairnCommand):
    """Moments with a name."""

    help = "Make, list, show, tag, delete, undelete and export checkpoints."

    def add_arguments(self, parser: CommandParser) -> None:
        """The verbs."""
        verbs = self.verbs(parser)
        self.create_arguments(self.verb(verbs, "create", "Name this moment of the record."))
        self.list_arguments(self.verb(verbs, "list", "List checkpoints, newest first."))
        self.one(self.verb(verbs, "show", "Show a checkpoint and what it holds."))
        tag = self.one(self.verb(verbs, "tag", "Add tags to a checkpoint, or remove them."))
        tag.add_argument("tags", nargs="*", metavar="TAG", help="A tag to add.")
        tag.add_argument("--remove", action="append", default=[], metavar="TAG", help="A tag to remove; repeatable.")
        self.one(self.verb(verbs, "delete", "Delete a checkpoint; it can be undeleted until `gc` collects it."))
        self.one(self.verb(verbs, "undelete", "Take a deletion back."))
        self.export_arguments(
            self.one(self.verb(verbs, "export", "Write a checkpoint's files to a directory, .zip or .tar."))
        )

    def one(self, parser: CommandParser) -> CommandParser:
        """A verb that is about one checkpoint."""
        parser.add_argument("id", metavar="ID", help="An id, at least 8 digits of one, or the name of a ref.")
        tenant_option(parser)
        return parser

    def create_arguments(self, parser: CommandParser) -> None:
        """What the new one holds and is called."""
        tenant_option(parser, required=True)
        parser.add_argument("-m", "--message", required=True, metavar="TEXT")
        parser.add_argument("--tag", action="append", default=[], metavar="X", help="Repeatable.")
        parser.add_argument("--device", action="append", default=[], metavar="NAME", help="Only this one; repeatable.")
        parser.add_argument(
            "--from",
            dest="content",
            metavar="WHAT",
            help="With what this checkpoint holds, or with the files of a directory, .zip or .tar (as DEVICE/FILE).",
        )
        parser.add_argument("--parent", metavar="ID", help="The checkpoint it comes after (default: HEAD).")
        parser.add_argument("--ref", metavar="NAME", help="A name that means it from now on.")

    def list_arguments(self, parser: CommandParser) -> None:
        """Which ones."""
        tenant_option(parser)
        parser.add_argument("--since", metavar="TIME", help="Made then or later: 2026-11-20 or 2026-11-20T21:00 (UTC).")
        parser.add_argument("--until", metavar="TIME", help="Made then or before; a date includes its whole day.")
        parser.add_argument("--tag", action="append", default=[], metavar="X", help="With any of these tags.")
        parser.add_argument("--deleted", action="store_true", help="Those that can be undeleted instead.")
        parser.add_argument("--limit", type=int, default=0, metavar="N", help="At most so many (0: all).")
        parser.add_argument("--offset", type=int, default=0, metavar="N", help="Leave out the first so many.")

    def export_arguments(self, parser: CommandParser) -> None:
        """Where to, and what of it."""
        parser.add_argument("directory", metavar="DIR", type=Path)
        parser.add_argument("--replace", action="store_true", help="Swap an earlier export for this one.")
        parser.add_argument("--masked", action="store_true", help="Without secrets; such files cannot be put back.")
        parser.add_argument("--device", action="append", default=[], metavar="NAME", help="Only this one; repeatable.")

    def handle(self, **options: Any) -> None:
        """One verb."""
        getattr(self, f"do_{options['verb']}")(options)

    def do_create(self, options: dict[str, Any]) -> None:
        """A new one."""
        tenant = find_tenant(options["tenant"])
        parent = find_checkpoint(options["parent"], tenant) if options["parent"] else None
        told = {"message": options["message"], "author": operator(), "tags": options["tag"], "ref": options["ref"]}
        source = options["content"]
        if source and is_place(source):
            if options["device"]:
                raise WrongUse(
                    "--device chooses of what is kept; leave out of the uploaded files what you do not want."
                )
            made = upload_checkpoint(tenant, read_upload(Path(source)), **told, parent=parent, now=timezone.now())
        else:
            made = create_checkpoint(
                tenant,
                **told,
                devices=chosen(options["device"], tenant),
                parent=parent,
                content=find_checkpoint(source, tenant) if source else None,
                now=timezone.now(),
            )
        self.answer(checkpoint_document(made), f"Checkpoint {made.short_id}: {made.device_count} devices, {made}")

    def do_list(self, options: dict[str, Any]) -> None:
        """Newest first."""
        found = Checkpoint.objects.select_related("tenant").prefetch_related("refs")
        found = found.made(
            since=moment(options["since"]), until=moment(options["until"], end=True), tags=options["tag"]
        )
        found = found.deleted() if options["deleted"] else found.kept()
        if options["tenant"]:
            found = found.filter(tenant=find_tenant(options["tenant"]))
        end = options["offset"] + options["limit"] if options["limit"] > 0 else None
        rows = list(found.order_by("-created_at", "-seq", "-pk")[options["offset"] : end])
        document = {"checkpoints": [checkpoint_document(one) for one in rows]}
        self.answer(document, checkpoint_table(rows, with_tenant=not options["tenant"]))

    def do_show(self, options: dict[str, Any]) -> None:
        """With every device and file."""
        one = find(options)
        held = manifest.of_commit(open_store(one.tenant_id), one.content)
        devices = sorted(Device.objects.in_bulk(held).values(), key=lambda device: device.name)
        files = [
            {"device": device.name, "file": name, "size": content.size, "blob": content.blob}
            for device in devices
            for name, content in sorted(held[device.pk].items())
        ]
        children = list(one.children.kept().values_list("pk", flat=True))
        facts = [f"{key}: {fact(value)}" for key, value in checkpoint_document(one).items() if value not in (None, [])]
        table = Table(["device", "file", "bytes"], [[file["device"], file["file"], file["size"]] for file in files])
        document = {**checkpoint_document(one), "children": children, "content": files}
        self.answer(document, "\n".join([*facts, "", str(table)]))

    def do_tag(self, options: dict[str, Any]) -> None:
        """Some more, some fewer."""
        if not options["tags"] and not options["remove"]:
            raise WrongUse("Give at least one TAG to add, or --remove TAG.")
        one = tag_checkpoint(find(options), add=options["tags"], remove=options["remove"], by=operator())
        self.answer(checkpoint_document(one), f"Checkpoint {one.short_id}: {', '.join(one.tags) or 'no tags'}")

    def do_delete(self, options: dict[str, Any]) -> None:
        """Until the collection this is a mark."""
        one = delete_checkpoint(find(options), by=operator(), now=timezone.now())
        text = f"Checkpoint {one.short_id} is deleted; `checkpoint undelete {one.short_id}` brings it back."
        self.answer(checkpoint_document(one), text)

    def do_undelete(self, options: dict[str, Any]) -> None:
        """As if it had never been deleted."""
        one = undelete_checkpoint(find(options), by=operator(), now=timezone.now())
        self.answer(checkpoint_document(one), f"Checkpoint {one.short_id} is back.")

    def do_export(self, options: dict[str, Any]) -> None:
        """All of it, or nothing."""
        one = find(options)
        if options["directory"].suffix in ARCHIVES:
            how = {"replace": options["replace"], "masked": options["masked"]}
            path = export_archive(one, options["directory"], devices=held_devices(one, options["device"]), **how)
            export_left(one, options)
            document = {"checkpoint": one.pk, "path": path, "bytes": path.stat().st_size, "masked": options["masked"]}
            self.answer(document, f"The archive is {path}.")
            return
        done = export_checkpoint(
            one,
            options["directory"],
            replace=options["replace"],
            masked=options["masked"],
            devices=held_devices(one, options["device"]),
        )
        export_left(one, options)
        document = {
            "checkpoint": one.pk,
            "path": done.path,
            "devices": done.devices,
            "files": done.files,
            "bytes": done.size,
            "masked": options["masked"],
        }
        self.answer(document, f"{done.files} files of {done.devices} devices are in {done.path}.")


def export_left(one: Checkpoint, options: dict[str, Any]) -> None:
    """Who took it along, and whether with its secrets."""
    detail = {"masked": options["masked"], "to": str(options["directory"])}
    record(one.tenant, by=operator(), action="checkpoint.exported", about=f"{one.short_id} {one}", detail=detail)


def fact(value: object) -> str:
    """A value of the document as people read it."""
    return ", ".join(map(cell_text, value)) if isinstance(value, list) else cell_text(value)


def find(options: dict[str, Any]) -> Checkpoint:
    """The checkpoint that the command line names."""
    return find_checkpoint(options["id"], find_tenant(options["tenant"]) if options["tenant"] else None)


def chosen(names: list[str], tenant: Tenant) -> list[Device] | None:
    """The devices that were named; None for all."""
    return [find_device(name, tenant) for name in dict.fromkeys(names)] or None


def is_place(source: str) -> bool:
    """Whether it is meant as a place of files and not as a checkpoint: ids and names of refs have no slash."""
    return "/" in source or source in (".", "..") or Path(source).suffix in uploads.ARCHIVES


def held_devices(checkpoint: Checkpoint, names: list[str]) -> list[Device] | None:
    """The named devices, if the checkpoint has them all. Raises NothingKept."""
    devices = chosen(names, checkpoint.tenant)
    if devices:
        held = manifest.of_commit(
            open_store(checkpoint.tenant_id), checkpoint.content, [device.pk for device in devices]
        )
        missing = [device.name for device in devices if device.pk not in held]
        if missing:
            raise NothingKept(f"Checkpoint {checkpoint.short_id} does not hold {', '.join(missing)}.")
    return devices


def moment(text: str | None, *, end: bool = False) -> datetime | None:
    """A time as people write it, in UTC where it names no zone; a date is its first moment, or its last."""
    if text is None:
        return None
    try:
        day, exact = parse_date(text), parse_datetime(text)
    except ValueError:
        day = exact = None
    if day and len(text) <= len("2026-11-20"):
        return at(day, end=end)
    if exact is None:
        raise WrongUse(f"{text!r} is no time; write 2026-11-20 or 2026-11-20T21:00.")
    return exact if exact.tzinfo else exact.replace(tzinfo=UTC)


def at(day: date, *, end: bool) -> datetime:
    """The first or the last moment of a day in UTC."""
    return datetime.combine(day, time.max if end else time.min, tzinfo=UTC)
