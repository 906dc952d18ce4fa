"""The page that says who brought each line of a version's file."""

from __future__ import annotations

from itertools import groupby
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from backups import looks
from backups.blame import Blame, blame
from backups.code_page import line_of
from backups.content import MAX_BYTES, PART, SECRETS, TOO_LARGE, ShownFile, first_of_part
from backups.errors import BackupError
from backups.models import Snapshot
from backups.showing import harmless
from inventory.roles import may

SECONDS = 10.0
MAX_HTML = 1_800_000  # characters; with the frame the page stays below 2 MB


class Blames:
    """One more page of a version. Mixed in before RecordAdmin."""

    def get_urls(self) -> list[URLPattern]:
        """For each file of a version."""
        page = self.own_page("<uuid:object_id>/lines/<str:name>", "blame", self.blamed)  # type: ignore[attr-defined]
        return [page, *super().get_urls()]  # type: ignore[misc]

    def blamed(self, request: HttpRequest, object_id: UUID, name: str) -> HttpResponse:
        """The file with the origin of each line; with masked lines for eyes without the right to see secrets."""
        version = self.row_or_404(request, object_id)  # type: ignore[attr-defined]
        if name not in version.files:
            raise Http404("This version has no such file.")
        secrets = may(request.user, SECRETS, version.tenant_id)
        if secrets:
            looks.seen(version, by=request.user.get_username(), how="blame")
        context = shown_blame(version, name, secrets=secrets, line=line_of(request))
        return self.show(request, "netcairn/blame.html", version, version=version, name=name, **context)  # type: ignore[attr-defined]


def shown_blame(version: Snapshot, name: str, *, secrets: bool, line: int = 1) -> dict[str, Any]:
    """What the page shows: rows of the part with that line, or the reason why there are none."""
    if version.files[name]["size"] > MAX_BYTES:
        return {"refusal": TOO_LARGE}
    try:
        found = blame(version, name, secrets=secrets, seconds=SECONDS)
    except BackupError as error:
        return {"refusal": str(error)}
    first = first_of_part(line, len(found.lines))
    rows = rows_of(found, first)
    if len(rows) > MAX_HTML:
        return {"refusal": TOO_LARGE}
    parts = ShownFile(name, 0, count=len(found.lines), first=first)
    return {"found": found, "rows": rows, "versions": len(found.versions), "file": parts}


def rows_of(found: Blame, first: int) -> SafeString:
    """The part's lines as rows; those that came together say so once, at the first."""
    rows: list[tuple[SafeString]] = []
    for version, lines in groupby(found.lines[first - 1 : first - 1 + PART], key=lambda line: line.version):
        origin: SafeString | str = origin_of(version)
        for line in lines:
            text = line.text.removesuffix(b"\r").decode("utf-8", "surrogateescape")
            rows.append((row(origin, line.number, text),))
            origin = ""
    return format_html_join("\n", "{}", rows)


def row(origin: SafeString | str, number: int, text: str) -> SafeString:
    """One line."""
    cells = '<tr><td class="nc-fit">{}</td><td class="nc-n" data-n="{}"></td><td class="nc-t">{}</td></tr>'
    return format_html(cells, origin, number, harmless(text))


def origin_of(version: Snapshot) -> SafeString:
    """When it came, as a link to the version, with whom, and by which run."""
    link = reverse("admin:backups_snapshot_change", args=[version.pk])
    when = f"{localtime(version.taken_at):%Y-%m-%d %H:%M}"
    run: SafeString | str = ""
    if version.run_id:
        run = format_html(
            ' <a class="nc-link" href="{}">run</a>', reverse("admin:backups_run_change", args=[version.run_id])
        )
    return format_html(
        '<a class="nc-link" href="{}">{}</a> <span class="nc-faint">{}</span>{}', link, when, version.author, run
    )
