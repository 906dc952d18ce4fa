"""The page that searches configurations: what each tenant's members may see of them, and nothing else.

A search is sent as a form and not as an address: people look for passwords that have leaked, and addresses stay in the
logs of web servers and in the memory of browsers.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods

from backups.errors import PatternRefused, StoreError
from backups.past import Past, PastAnswer, PastLimits, search_past
from backups.search import Answer, Found, Limits, Line, Scope, scopes_for, search
from backups.showing import harmless
from backups.store.grep import LONGEST_PATTERN, Pattern
from inventory.audit import record
from inventory.models import Device, Tenant

LINES = 300
PER_FILE = 10
FILES = 200  # of the past
SECONDS = 10.0
SHOWN = 500  # bytes of a line: a page is for looking, the command has the rest
MAX_HTML = 1_500_000  # characters of all lines: hostile bytes become long escapes
AROUND = ("3", "0", "10")  # lines before and after; the first unless another is chosen
NOW, EVER = "now", "ever"
WHY = {
    "lines": f"only the first {LINES} lines are shown",
    "bytes": "more text matches than is read",
    "time": f"the {SECONDS:g} seconds for a search were up",
    "files": f"only {FILES} files are shown",
}


class SearchForm(forms.Form):
    """What somebody looks for, and where."""

    text = forms.CharField(max_length=LONGEST_PATTERN, strip=False)
    regex = forms.BooleanField(required=False)
    ignore_case = forms.BooleanField(required=False)
    when = forms.ChoiceField(choices=[(NOW, "Newest versions"), (EVER, "All versions")], required=False)
    around = forms.ChoiceField(choices=[(lines, lines) for lines in AROUND], required=False)
    tenant = forms.ModelChoiceField(Tenant.objects.none(), required=False, empty_label="All tenants")
    device = forms.CharField(max_length=100, required=False)

    def __init__(self, *args: Any, scopes: Iterable[Scope], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scopes = list(scopes)
        tenants = Tenant.objects.filter(pk__in=[scope.tenant.pk for scope in self.scopes]).order_by("name")
        self.fields["tenant"].queryset = tenants  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """The pattern, and the ids of the devices of that name."""
        data: dict[str, Any] = super().clean() or {}
        if "text" in data:
            try:
                data["pattern"] = Pattern(data["text"], bool(data.get("regex")), bool(data.get("ignore_case")))
            except PatternRefused as refusal:
                self.add_error("text", str(refusal))
        data["devices"] = self.devices(data.get("device", ""))
        return data

    def chosen(self) -> list[Scope]:
        """The tenants that are searched."""
        tenant = self.cleaned_data["tenant"]
        return [scope for scope in self.scopes if tenant in (None, scope.tenant)]

    def devices(self, name: str) -> list[UUID] | None:
        """The devices of that name in these tenants; None for all devices."""
        if not name:
            return None
        tenants = [scope.tenant.pk for scope in self.scopes]
        found = list(Device.objects.filter(tenant__in=tenants, name=name).values_list("pk", flat=True))
        if not found:
            self.add_error("device", f"There is no device {name!r}.")
        return found


@dataclass(frozen=True)
class ShownFile:
    """One file on the page."""

    found: Found
    rows: SafeString


@dataclass(frozen=True)
class ShownPast:
    """One file through time on the page."""

    past: Past
    line: SafeString | str  # the last that matched
    rows: SafeString | str  # with those around it


@dataclass
class Shown:
    """What a search came to, as the page shows it."""

    files: list[ShownFile] = field(default_factory=list)
    past: list[ShownPast] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what was left out

    @property
    def devices(self) -> int:
        """How many devices have it."""
        return len({file.found.device.pk for file in self.files} | {one.past.device.pk for one in self.past})

    def of(self, tenant: Tenant) -> int:
        """How many of them are this tenant's."""
        devices = [file.found.device for file in self.files] + [one.past.device for one in self.past]
        return len({device.pk for device in devices if device.tenant_id == tenant.pk})


class Searches:
    """The search, beside the list of versions. Mixed in before RecordAdmin."""

    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        """Before those that take anything for the id of a version."""
        view = self.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(self.search))
        own = path("search/", view, name=self.page_name("search"))  # type: ignore[attr-defined]
        return [own, *super().get_urls()]  # type: ignore[misc]

    def search(self, request: HttpRequest) -> HttpResponse:
        """The form, and what was found where it was sent."""
        scopes = scopes_for(request.user)
        if not scopes:
            raise PermissionDenied
        sent = request.method == "POST"
        form = SearchForm(request.POST if sent else None, initial=request.GET.dict(), scopes=scopes)
        shown = shown_search(form) if sent and form.is_valid() else None
        if shown is not None:
            searched(form.chosen(), shown, by=request.user.get_username())
        context = {"form": form, "shown": shown, "several_tenants": len(scopes) > 1, "title": "Search"}
        masked = not all(scope.secrets for scope in scopes)
        return self.show(request, "netcairn/search.html", **context, masked=masked)  # type: ignore[attr-defined]


def searched(scopes: Iterable[Scope], shown: Shown, *, by: str) -> None:
    """Who searched texts with their secrets; not for what, because people look for passwords that have leaked."""
    for scope in sorted(scopes, key=lambda one: str(one.tenant.pk)):
        if scope.secrets:
            record(
                scope.tenant,
                by=by,
                action="search.done",
                about=scope.tenant.name,
                detail={"devices": shown.of(scope.tenant)},
            )


def shown_search(form: SearchForm) -> Shown | None:
    """Search, now or ever; None where the pattern is refused, which the form then says."""
    data = form.cleaned_data
    try:
        if data["when"] == EVER:
            limits = PastLimits(SECONDS, FILES, context=int(data["around"] or 0))
            past = search_past(data["pattern"], form.chosen(), devices=data["devices"], limits=limits)
            return shown_past(past, data["pattern"])
        now = Limits(lines=LINES, per_file=PER_FILE, seconds=SECONDS, context=int(data["around"] or 0))
        return shown_answer(
            search(data["pattern"], form.chosen(), devices=data["devices"], limits=now), data["pattern"]
        )
    except PatternRefused as refusal:
        form.add_error("text", str(refusal))
        return None


def shown_answer(answer: Answer, pattern: Pattern) -> Shown:
    """The files with their lines, as many as fit."""
    shown, room = Shown(notes=list(problems_of(answer))), MAX_HTML
    for found in answer.found:
        rows = rows_of(found.lines, pattern)
        room -= len(rows)
        if room < 0:
            shown.notes.append(f"Only {len(shown.files)} of {len(answer.found)} files fit on a page.")
            break
        shown.files.append(ShownFile(found, rows))
    if answer.cut:
        left = f", and {len(answer.unsearched)} tenants were not searched to the end" if answer.unsearched[1:] else ""
        shown.notes.append(f"This is not everything: {WHY[answer.cut]}{left}. Narrow the search.")
    if answer.not_ready:
        shown.notes.append(
            f"{answer.not_ready} files were not searched yet, because hiding their secrets takes time. Search again."
        )
    return shown


def shown_past(answer: PastAnswer, pattern: Pattern) -> Shown:
    """The files that have or had it; the lines around as long as they fit."""
    shown, room = Shown(notes=list(problems_of(answer))), MAX_HTML
    for one in answer.found:
        rows = rows_of(one.around, pattern) if room > 0 else ""
        room -= len(rows)
        shown.past.append(ShownPast(one, harmless(as_text(one.last.text)), rows if room > 0 else ""))
    for tenant, moment in answer.searched_to.items():
        reached = f"back to {moment:%Y-%m-%d %H:%M} UTC" if moment else "not at all"
        shown.notes.append(f"{tenant} was searched {reached}: {WHY[answer.cut or 'time']}. Name a device.")
    return shown


def problems_of(answer: Answer | PastAnswer) -> Iterator[str]:
    """Tenants that could not be searched."""
    problems: dict[Tenant, StoreError] = answer.problems
    return (f"{tenant} could not be searched: {error}" for tenant, error in problems.items())


def rows_of(lines: Collection[Line], pattern: Pattern) -> SafeString:
    """The lines of a file as rows of a table, with a rule where some are left out between."""
    return format_html_join("\n", "{}{}", numbered_rows(lines, pattern))


def numbered_rows(lines: Iterable[Line], pattern: Pattern) -> Iterator[tuple[SafeString | str, SafeString]]:
    """For each line the rule before it, and its row."""
    before = 0
    for line in lines:
        rule = (
            format_html('<tr class="nc-d-gap"><td colspan="{}"></td></tr>', 2) if 0 < before < line.number - 1 else ""
        )
        before = line.number
        text = marked(as_text(line.text), pattern) if line.match else harmless(as_text(line.text))
        side = "nc-r" if line.match else "nc-l"
        yield (
            rule,
            format_html(
                '<tr><td class="nc-n" data-n="{}"></td><td class="nc-t {}">{}</td></tr>', line.number, side, text
            ),
        )


def as_text(line: bytes) -> str:
    """A line as far as it is shown."""
    shown = line[:SHOWN].removesuffix(b"\r").decode("utf-8", "surrogateescape")
    return f"{shown} …" if len(line) > SHOWN else shown


def marked(text: str, pattern: Pattern) -> SafeString:
    """The line with what was looked for marked; all of it for an expression, whose rules are git's and not Python's."""
    if pattern.regex:
        return format_html("<mark>{}</mark>", harmless(text))
    flags = re.ASCII | (re.IGNORECASE if pattern.ignore_case else 0)
    pieces = re.split(f"({re.escape(pattern.text)})", text, flags=flags)
    forms = ("{}", "<mark>{}</mark>")  # in turn: what is between, and what was looked for
    return format_html_join(
        "", "{}", ((format_html(forms[at % 2], harmless(piece)),) for at, piece in enumerate(pieces))
    )
