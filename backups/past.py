"""Which versions had this line: a search through the past, newest first, until it ends or the time is up.

The texts of many versions are the same, so each is searched once. For eyes without the right to see secrets every text
is masked before it is searched, not only those that match: the time that an answer takes must not tell what is hidden.
That is slow (some hundred versions a second), so a device or two are named, or the search says how far back it came.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from uuid import UUID

from django.db.models import Q

from backups.content import for_eyes, sheet
from backups.errors import StoreError
from backups.masked_texts import Source, prepare, veil
from backups.models import Snapshot
from backups.search import Line, Scope, with_context
from backups.store.grep import GrepCaps, Hit, Hits, Pattern, grep_blobs, grep_folder
from backups.store.reader import TenantStore, open_store
from inventory.models import Device, Tenant

AT_ONCE = 500  # versions that are looked at in one go; a go that the time does not suffice for counts for nothing
MASKED_AT_ONCE = 50
KEPT = 50  # versions that are listed for each file, the newest


@dataclass(frozen=True)
class PastLimits:
    """How much is looked for; a search that reaches one of them says so."""

    seconds: float = 20.0
    files: int = 1_000
    context: int = 0  # lines shown before and after the line that matches, of the newest version that has it


@dataclass(frozen=True, slots=True)
class Version:
    """A version that has the line, and the first line of it that matches."""

    id: UUID
    taken_at: datetime
    author: str
    number: int
    text: bytes


@dataclass
class Past:
    """A device's file through time."""

    device: Device
    name: str
    current: bool  # the newest version has it
    gone_at: datetime | None  # when the next version after the last that has it was taken
    versions: list[Version] = field(default_factory=list)  # the newest KEPT of them, newest first
    count: int = 0
    first: Version | None = None
    blob: str = ""  # of the newest version that has it
    around: tuple[Line, ...] = ()  # its line with those before and after; empty where none were asked for

    @property
    def last(self) -> Version:
        """The newest version that has it."""
        return self.versions[0]

    def add(self, version: Version) -> None:
        """One more, older than all before."""
        self.count += 1
        self.first = version
        if len(self.versions) < KEPT:
            self.versions.append(version)


@dataclass
class PastAnswer:
    """What a search of the past came to."""

    found: list[Past] = field(default_factory=list)
    versions: int = 0  # that were searched
    searched_to: dict[Tenant, datetime | None] = field(default_factory=dict)  # where it was cut: how far back it came
    cut: str | None = None
    problems: dict[Tenant, StoreError] = field(default_factory=dict)


def search_past(
    pattern: Pattern,
    scopes: Iterable[Scope],
    *,
    devices: Collection[UUID] | None = None,
    limits: PastLimits | None = None,
) -> PastAnswer:
    """Search all versions of these tenants' devices, of the given ones where some are, retired ones too.

    Raises PatternRefused.
    """
    limits = limits or PastLimits()
    answer, ends = PastAnswer(), monotonic() + limits.seconds
    for scope in sorted(scopes, key=lambda scope: scope.tenant.name):
        tenant = TenantPast(scope, pattern, ends)
        try:
            tenant.search(devices, limits.files - len(answer.found))
            tenant.surround(limits.context)
        except StoreError as error:
            answer.problems[scope.tenant] = error
        answer.found += tenant.in_order()
        answer.versions += tenant.versions
        if tenant.cut:
            answer.cut = tenant.cut
            answer.searched_to[scope.tenant] = tenant.searched_to
    return answer


class TenantPast:
    """The search of one tenant's past."""

    def __init__(self, scope: Scope, pattern: Pattern, ends: float) -> None:
        self.scope, self.pattern, self.ends = scope, pattern, ends
        self.known: dict[str, Hit | None] = {}  # what is known of a text, by what it is called
        self.found: dict[tuple[UUID, str], Past] = {}
        self.newer: dict[UUID, datetime] = {}  # of each device: when the version before (in our order) was taken
        self.versions = 0
        self.searched_to: datetime | None = None
        self.cut: str | None = None

    def search(self, devices: Collection[UUID] | None, files: int) -> None:
        """Go back group by group. Raises PatternRefused, StoreError."""
        rows = versions_of(self.scope.tenant, devices)
        while group := list(islice(rows, AT_ONCE if self.scope.secrets else MASKED_AT_ONCE)):
            if len(self.found) >= files:
                self.cut = "files"
            elif monotonic() >= self.ends or not self.look(open_store(self.scope.tenant.pk), group):
                self.cut = "time"
            if self.cut:
                return
            for version in group:
                self.note(version)
            self.versions += len(group)
            self.searched_to = group[-1].taken_at

    def look(self, store: TenantStore, group: Sequence[Snapshot]) -> bool:
        """Search the texts of a group that are not known yet; False where the time was up before the end."""
        new = {key: source for version in group for key, source in self.texts(version) if key not in self.known}
        hits = self.hits_of(store, new)
        if hits is None or hits.cut:
            return False
        self.known |= dict.fromkeys(new)
        self.known |= {hit.name: hit for hit in hits.hits}
        return True

    def texts(self, version: Snapshot) -> Iterator[tuple[str, Source]]:
        """The files of a version, and what each is called here."""
        rules = veil(None if self.scope.secrets else sheet(version.device.platform))
        for file in version.files.values():
            source = Source(file["blob"], rules)
            yield (source.blob if self.scope.secrets else source.name), source

    def hits_of(self, store: TenantStore, texts: dict[str, Source]) -> Hits | None:
        """The first line that matches of each text that has one; None where the time was up."""
        if not texts:
            return Hits(())
        caps = GrepCaps(lines=len(texts), per_file=1, max_bytes=2**31, seconds=self.ends - monotonic())
        if self.scope.secrets:
            return grep_blobs(store.git, list(texts), self.pattern, caps)
        with TemporaryDirectory(prefix="netcairn-search-") as name:
            if prepare(store, texts.values(), Path(name), until=self.ends):
                return None
            return grep_folder(store.git, Path(name), self.pattern, caps)

    def note(self, version: Snapshot) -> None:
        """Write down which of a version's files have it."""
        device = version.device_id
        for (key, _), name in zip(self.texts(version), version.files, strict=True):
            if (hit := self.known[key]) is None:
                continue
            if (device, name) not in self.found:
                gone_at = self.newer.get(device)
                blob = str(version.blob(name))
                self.found[device, name] = Past(version.device, name, gone_at is None, gone_at, blob=blob)
            found = Version(version.pk, version.taken_at, version.author, hit.number, hit.text)
            self.found[device, name].add(found)
        self.newer[device] = version.taken_at

    def surround(self, context: int) -> None:
        """Read the lines around, as far as the time suffices: a line alone is an answer too. Raises StoreError."""
        for past in self.found.values() if context else ():
            if monotonic() >= self.ends:
                return
            content = open_store(self.scope.tenant.pk).blob(past.blob)
            seen = for_eyes(content, past.device.platform, secrets=self.scope.secrets)
            past.around = with_context(seen.split(b"\n"), [past.last.number], context)

    def in_order(self) -> list[Past]:
        """What was found, by the names of devices and files."""
        return sorted(self.found.values(), key=lambda past: (past.device.name, past.name))


def versions_of(tenant: Tenant, devices: Collection[UUID] | None) -> Iterator[Snapshot]:
    """A tenant's versions whose content is kept, newest first, read as they are needed.

    Page by page behind the last one, because a cursor that lives longer than a transaction makes PostgreSQL copy all
    rows before it gives the first.
    """
    rows = (
        Snapshot.objects.filter(tenant=tenant).readable().select_related("device__tenant").order_by("-taken_at", "-id")
    )
    if devices is not None:
        rows = rows.filter(device_id__in=devices)
    page = list(rows[:AT_ONCE])
    while page:
        yield from page
        last = page[-1]
        older = Q(taken_at__lt=last.taken_at) | Q(taken_at=last.taken_at, id__lt=last.pk)
        page = list(rows.filter(older, taken_at__lte=last.taken_at)[:AT_ONCE])
