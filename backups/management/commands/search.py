"""`search`: the devices that have a line, now or ever."""

from __future__ import annotations

import sys
from getpass import getpass
from typing import Any

from django.core.management.base import CommandParser

from backups.errors import PatternRefused
from backups.past import Past, PastAnswer, PastLimits, Version, search_past
from backups.search import Answer, Found, Limits, Line, Scope, search
from backups.store.grep import Pattern
from inventory.audit import record
from inventory.commands import (
    NetcairnCommand,
    Table,
    WrongUse,
    find_device,
    find_tenant,
    operator,
    tenant_option,
    visible,
)
from inventory.models import Device, Tenant

SHOWN = 160  # characters of a line in a table; `--json` has all that was kept
LIMITS = {
    "lines": "more lines match than the --limit of {limit}",
    "bytes": "more text matches than is read",
    "time": "the {seconds:g} s of --seconds were up",
    "files": "more files have had it than the --limit of {limit}",
}
MOST_CONTEXT = 50
PATTERN_HELP = (
    "What to look for. Put -- before one that begins with a dash. Left out, it is read from standard input, "
    "so that no list of processes and no memory of a shell has it."
)


class Command(NetcairnCommand):
    """Devices and lines."""

    help = "Search the configurations of all devices for a text: those of today, or with --history every version."

    def add_arguments(self, parser: CommandParser) -> None:
        """What, where and how much."""
        parser.add_argument("pattern", metavar="PATTERN", nargs="?", help=PATTERN_HELP)
        tenant_option(parser)
        parser.add_argument("--device", metavar="NAME", action="append", help="Only this device; may be repeated.")
        parser.add_argument("--history", action="store_true", help="Which versions had it, first and last.")
        parser.add_argument("--context", metavar="N", type=int, default=0, help="Lines shown before and after.")
        parser.add_argument("-E", "--regex", action="store_true", help="An extended regular expression (POSIX).")
        parser.add_argument("-i", "--ignore-case", action="store_true", help="A to Z are the same as a to z.")
        parser.add_argument("--masked", action="store_true", help="Search and show texts without their secrets.")
        parser.add_argument("--limit", metavar="N", type=int, default=1_000, help="At most so many lines or files.")
        parser.add_argument("--seconds", metavar="N", type=float, default=60.0, help="At most so long.")

    def handle(self, **options: Any) -> None:
        """Search, answer, and say what was left out; then the exit status is 1."""
        if options["limit"] < 1 or options["seconds"] <= 0 or not 0 <= options["context"] <= MOST_CONTEXT:
            raise WrongUse(f"--limit and --seconds must be above 0, and --context from 0 to {MOST_CONTEXT}.")
        try:
            text = pattern_read() if options["pattern"] is None else options["pattern"]
            pattern = Pattern(text, regex=options["regex"], ignore_case=options["ignore_case"])
            left_out = self.past(pattern, options) if options["history"] else self.present(pattern, options)
        except PatternRefused as refusal:
            raise WrongUse(str(refusal)) from refusal
        for sentence in left_out:
            self.tell(sentence)
        if left_out:
            sys.exit(1)

    def present(self, pattern: Pattern, options: dict[str, Any]) -> list[str]:
        """The devices that have it now; and what was left out."""
        scopes, devices = where(options)
        searched(scopes)
        seconds = options["seconds"]
        limits = Limits(options["limit"], seconds=seconds, context=options["context"], preparing=seconds / 2)
        answer = search(pattern, scopes, devices=ids(devices), limits=limits)
        self.answer(heading(pattern, options) | answer_document(answer), answer_table(answer))
        if more := sum(found.more for found in answer.found):
            self.tell(f"{more} files have more lines that match than the {limits.per_file} shown.")
        return left_out(answer, options)

    def past(self, pattern: Pattern, options: dict[str, Any]) -> list[str]:
        """The devices that ever had it; and what was left out."""
        scopes, devices = where(options)
        searched(scopes)
        limits = PastLimits(options["seconds"], files=options["limit"], context=options["context"])
        answer = search_past(pattern, scopes, devices=ids(devices), limits=limits)
        table = f"{past_table(answer)}{past_lines(answer)}"
        self.answer(heading(pattern, options) | past_document(answer), table)
        return past_left_out(answer, options)


def pattern_read() -> str:
    """The pattern from standard input: typed unseen on a terminal, else its first line."""
    return getpass("Pattern: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")


def where(options: dict[str, Any]) -> tuple[list[Scope], list[Device] | None]:
    """The tenants and devices that are searched. The operator of the machine sees every tenant."""
    tenants = [find_tenant(options["tenant"])] if options["tenant"] else list(Tenant.objects.all())
    devices = None
    if options["device"]:
        devices = [find_device(name, options["tenant"]) for name in options["device"]]
        tenants = list({device.tenant_id: device.tenant for device in devices}.values())
    return [Scope(tenant, secrets=not options["masked"]) for tenant in tenants], devices


def searched(scopes: list[Scope]) -> None:
    """Who searched texts with their secrets, in the audit log; not for what: it may be a password that has leaked."""
    for scope in sorted((one for one in scopes if one.secrets), key=lambda one: str(one.tenant.pk)):
        record(scope.tenant, by=operator(), action="search.done", about=scope.tenant.name, detail={"how": "command"})


def ids(devices: list[Device] | None) -> list[Any] | None:
    """Their ids; None for all devices."""
    return None if devices is None else [device.pk for device in devices]


def heading(pattern: Pattern, options: dict[str, Any]) -> dict[str, Any]:
    """What was asked."""
    asked = {name: options[name] for name in ("regex", "ignore_case", "masked", "history")}
    return {"pattern": pattern.text, **asked}


def answer_document(answer: Answer) -> dict[str, Any]:
    """A search as `--json` shows it."""
    return {
        "files": [found_document(found) for found in answer.found],
        "devices": len({found.device.pk for found in answer.found}),
        "cut": answer.cut,
        "unsearched": [tenant.name for tenant in answer.unsearched],
        "not_ready": answer.not_ready,
        "problems": problems_document(answer),
    }


def found_document(found: Found) -> dict[str, Any]:
    """One file that has it."""
    return {
        "tenant": found.device.tenant.name,
        "device": found.device.name,
        "device_id": found.device.pk,
        "file": found.name,
        "lines": [line_document(line) for line in found.lines],
        "more": found.more,
    }


def line_document(line: Line) -> dict[str, Any]:
    """A line of a file."""
    return {"number": line.number, "match": line.match, "text": words(line.text)}


def past_lines(answer: PastAnswer) -> str:
    """Below the table: for each file the lines around, as the newest version that had it has them."""
    blocks = []
    for past in answer.found:
        if past.around:
            head = (
                f"{past.device.tenant.name} {past.device.name} {past.name}, {past.last.taken_at:%Y-%m-%d %H:%M:%S} UTC"
            )
            rows = (f"{'>' if one.match else ' '} {one.number:6} {visible(short(one.text))}" for one in past.around)
            blocks.append("\n".join(["", "", head, *rows]))
    return "".join(blocks)


def problems_document(answer: Answer | PastAnswer) -> list[dict[str, str]]:
    """Tenants whose store could not be read."""
    return [{"tenant": tenant.name, "what": str(error)} for tenant, error in answer.problems.items()]


def past_document(answer: PastAnswer) -> dict[str, Any]:
    """A search of the past as `--json` shows it."""
    searched = [{"tenant": tenant.name, "back_to": moment} for tenant, moment in answer.searched_to.items()]
    return {
        "files": [past_file_document(past) for past in answer.found],
        "devices": len({past.device.pk for past in answer.found}),
        "versions_searched": answer.versions,
        "cut": answer.cut,
        "searched": searched,
        "problems": problems_document(answer),
    }


def past_file_document(past: Past) -> dict[str, Any]:
    """One file that has or had it."""
    return {
        "tenant": past.device.tenant.name,
        "device": past.device.name,
        "device_id": past.device.pk,
        "file": past.name,
        "current": past.current,
        "gone_at": past.gone_at,
        "first": past_version_document(past.first) if past.first else None,
        "last": past_version_document(past.last),
        "count": past.count,
        "versions": [past_version_document(version) for version in past.versions],
        "lines": [line_document(line) for line in past.around],
    }


def past_version_document(version: Version) -> dict[str, Any]:
    """A version that has it."""
    return {
        "id": version.id,
        "taken_at": version.taken_at,
        "author": version.author,
        "number": version.number,
        "text": words(version.text),
    }


def words(text: bytes) -> str:
    """A line as text; bytes that are no UTF-8 are written out as \\xff."""
    return text.removesuffix(b"\r").decode("utf-8", "backslashreplace")


def answer_table(answer: Answer) -> Table:
    """A row for each line; those that match are marked where others are shown too."""
    rows = [
        [
            found.device.tenant.name,
            found.device.name,
            found.name,
            mark(found, line.match),
            line.number,
            short(line.text),
        ]
        for found in answer.found
        for line in found.lines
    ]
    return Table(["tenant", "device", "file", "", "line", "text"], rows, empty="No device has it.")


def mark(found: Found, match: bool) -> str:
    """A sign beside a line that matches."""
    return ">" if match and found.matches < len(found.lines) else ""


def past_table(answer: PastAnswer) -> Table:
    """A row for each file."""
    rows = [
        [
            past.device.tenant.name,
            past.device.name,
            past.name,
            past.count,
            past.first.taken_at if past.first else None,
            past.last.taken_at,
            "now" if past.current else past.gone_at,
            short(past.last.text),
        ]
        for past in answer.found
    ]
    headings = ["tenant", "device", "file", "versions", "first (UTC)", "last (UTC)", "until (UTC)", "line"]
    return Table(headings, rows, empty="No version has it.")


def short(text: bytes) -> str:
    """A line that fits into a table."""
    whole = words(text)
    return whole if len(whole) <= SHOWN else whole[: SHOWN - 1] + "…"


def left_out(answer: Answer, options: dict[str, Any]) -> list[str]:
    """What was not searched and why, a sentence each."""
    sentences = [f"{tenant.name}: {error}" for tenant, error in answer.problems.items()]
    if answer.cut:
        names = ", ".join(tenant.name for tenant in answer.unsearched[:5])
        sentences.append(f"Not everything was searched: {LIMITS[answer.cut].format(**options)} ({names}).")
    if answer.not_ready:
        sentences.append(f"{answer.not_ready} files were not searched, because masking them takes time: search again.")
    return sentences


def past_left_out(answer: PastAnswer, options: dict[str, Any]) -> list[str]:
    """What was not searched and why, a sentence each."""
    sentences = [f"{tenant.name}: {error}" for tenant, error in answer.problems.items()]
    for tenant, moment in answer.searched_to.items():
        reached = f"back to {moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "not at all"
        sentences.append(f"{tenant.name} was searched {reached}: {LIMITS[answer.cut or 'time'].format(**options)}.")
    return sentences
