"""Which devices have this line: a search through the newest version of every device that somebody may see.

Who may see secrets searches what the devices said, in one `git grep` for each tenant. Everybody else searches the
masked texts (`backups/masked_texts.py`) and nothing but them, so neither what is found nor how long it takes says
anything about a secret. The past is searched in `backups/past.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from operator import attrgetter
from time import monotonic
from uuid import UUID

from backups.content import SECRETS, sheet
from backups.errors import StoreError
from backups.masked_texts import Source, folder_of, prepare, read, sweep
from backups.models import Repository
from backups.store import layout
from backups.store.grep import LONGEST_LINE, Cut, GrepCaps, Hit, Hits, Pattern, grep_commit, grep_folder
from backups.store.reader import TenantStore, open_store
from inventory.models import Device, Tenant
from inventory.roles import AnyUser, may, tenants_with

VIEW = "backups.view_snapshot"
FEW = 500  # files that are named to git one by one, instead of searching all and choosing afterwards


@dataclass(frozen=True)
class Scope:
    """A tenant that is searched, and with which eyes."""

    tenant: Tenant
    secrets: bool


@dataclass(frozen=True)
class Limits:
    """How much is looked for; a search that reaches one of them says so."""

    lines: int = 1_000
    per_file: int = 20  # lines of one file
    seconds: float = 10.0
    context: int = 0  # lines shown before and after each
    preparing: float = 3.0  # seconds of them that may go into masking what has changed


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file as it is shown."""

    number: int
    text: bytes
    match: bool


@dataclass(frozen=True)
class Found:
    """A device's file with lines that match, and the lines around them; more: it has further ones."""

    device: Device
    name: str
    lines: tuple[Line, ...]
    more: bool
    masked: bool

    @property
    def matches(self) -> int:
        """How many of the lines match."""
        return sum(line.match for line in self.lines)


@dataclass
class Answer:
    """What a search came to, and what it left out."""

    found: list[Found] = field(default_factory=list)
    cut: Cut | None = None  # the limit that ended it
    unsearched: list[Tenant] = field(default_factory=list)  # their turn did not come before a limit, or not to the end
    not_ready: int = 0  # files whose masked text is not there yet: the next search goes on with them
    problems: dict[Tenant, StoreError] = field(default_factory=dict)  # tenants whose store cannot be read


@dataclass(frozen=True)
class Place:
    """A file of a device, with the lines in it that match, and the way to all of its lines."""

    device_id: UUID
    name: str
    hits: tuple[Hit, ...]
    content: Callable[[], bytes]


@dataclass(frozen=True)
class Places:
    """What one tenant's search came to."""

    places: list[Place]
    cut: Cut | None
    not_ready: int = 0


def scopes_for(user: AnyUser, tenants: Collection[Tenant] | None = None) -> list[Scope]:
    """The tenants whose versions the user may see, of these where some are given."""
    allowed = tenants_with(user, VIEW).order_by("name")
    return [Scope(tenant, may(user, SECRETS, tenant.pk)) for tenant in allowed if tenants is None or tenant in tenants]


def search(
    pattern: Pattern, scopes: Iterable[Scope], *, devices: Collection[UUID] | None = None, limits: Limits | None = None
) -> Answer:
    """Search the newest versions of these tenants' devices, of the given ones where some are. Raises PatternRefused.

    Retired devices are left out. A tenant without a repository has nothing to find.
    """
    limits = limits or Limits()
    answer = Answer()
    ends, left = monotonic() + limits.seconds, limits.lines
    by_tenant = {scope.tenant.pk: scope for scope in sorted(scopes, key=lambda scope: scope.tenant.name)}
    for tenant_id, head in heads_of(by_tenant):
        scope, seconds = by_tenant[tenant_id], ends - monotonic()
        if answer.cut or seconds <= 0:
            answer.cut = answer.cut or "time"
            answer.unsearched.append(scope.tenant)
            continue
        try:
            places = places_in(scope, head, pattern, devices, replace(limits, lines=left, seconds=seconds))
            found = shown(scope, places.places, limits)
        except StoreError as error:
            answer.problems[scope.tenant] = error
            continue
        answer.found += found
        answer.not_ready += places.not_ready
        left -= sum(one.matches for one in found)
        if places.cut:
            answer.cut = places.cut
            answer.unsearched.append(scope.tenant)
    return answer


def heads_of(tenants: Iterable[UUID]) -> list[tuple[UUID, str]]:
    """The newest commit of each tenant that has one, in the order of the tenants."""
    heads = dict(Repository.objects.filter(pk__in=tenants).values_list("pk", "head"))
    return [(tenant_id, head) for tenant_id in tenants if (head := heads.get(tenant_id))]


def places_in(scope: Scope, head: str, pattern: Pattern, devices: Collection[UUID] | None, limits: Limits) -> Places:
    """Where a tenant's current files match. Raises PatternRefused, StoreError."""
    store = open_store(scope.tenant.pk)
    # One line more than is shown of a file tells whether there is more.
    caps = GrepCaps(lines=limits.lines, per_file=limits.per_file + 1, seconds=limits.seconds)
    if scope.secrets:
        return clear_places(store, scope.tenant, head, pattern, devices, caps=caps)
    sources = current_sources(store, scope.tenant, head, devices)
    return masked_places(store, scope.tenant, sources, pattern, caps=caps, preparing=limits.preparing)


def clear_places(
    store: TenantStore,
    tenant: Tenant,
    head: str,
    pattern: Pattern,
    devices: Collection[UUID] | None,
    *,
    caps: GrepCaps,
) -> Places:
    """In what the devices said."""
    retired = set(Device.objects.filter(tenant=tenant).exclude(retired_at=None).values_list("pk", flat=True))

    def wanted(path: str) -> bool:
        place = layout.parse_device_file(path)
        return place is not None and place[0] not in retired and (devices is None or place[0] in devices)

    found = grep_commit(store.git, head, pattern, caps, paths=folders_of(devices), wanted=wanted)
    entries = store.entries(head, sorted({hit.name for hit in found.hits})) if found.hits else {}
    places = [
        Place(*place, hits, partial(store.blob, entries[path].id))
        for path, hits in by_name(found)
        if (place := layout.parse_device_file(path))
    ]
    return Places(places, found.cut)


def masked_places(
    store: TenantStore,
    tenant: Tenant,
    sources: Mapping[tuple[UUID, str], Source],
    pattern: Pattern,
    *,
    caps: GrepCaps,
    preparing: float,
) -> Places:
    """In the masked texts of what the devices said."""
    began, folder = monotonic(), folder_of(tenant.pk)
    missing = prepare(store, set(sources.values()), folder, until=began + min(preparing, caps.seconds))
    ready: dict[str, list[tuple[UUID, str]]] = {}
    for place, source in sources.items():
        if source.name not in missing:
            ready.setdefault(source.name, []).append(place)
    if not ready:
        return Places([], None, len(sources))
    names = sorted(ready) if len(ready) <= FEW else ()
    caps = replace(caps, seconds=caps.seconds - (monotonic() - began))
    found = grep_folder(store.git, folder, pattern, caps, paths=names, wanted=ready.__contains__)
    places = [
        Place(*place, hits, partial(read, folder, name)) for name, hits in by_name(found) for place in ready[name]
    ]
    return Places(places, found.cut, sum(source.name in missing for source in sources.values()))


def current_sources(
    store: TenantStore, tenant: Tenant, head: str, devices: Collection[UUID] | None = None
) -> dict[tuple[UUID, str], Source]:
    """Every current file of the tenant's devices in service, with what its masked text is made from."""
    folders = folders_of(devices)
    tree = store.entries(head, folders) if folders else store.tree(head, layout.DEVICES)
    in_service = Device.objects.filter(tenant=tenant, retired_at=None)
    slugs = dict(in_service.values_list("pk", "platform"))
    sheets = {slug: sheet(slug) for slug in set(slugs.values())}
    found = {layout.parse_device_file(path): entry for path, entry in tree.items()}
    return {
        place: Source(entry.id, sheets[slugs[place[0]]])
        for place, entry in found.items()
        if place and place[0] in slugs and (devices is None or place[0] in devices)
    }


def folders_of(devices: Collection[UUID] | None) -> list[str]:
    """The folders of a few devices; none for many, which are chosen afterwards."""
    return [layout.device_folder(device) for device in devices] if devices and len(devices) <= FEW else []


def by_name(found: Hits) -> list[tuple[str, tuple[Hit, ...]]]:
    """The hits of each file; git says those of one file together."""
    return [(name, tuple(hits)) for name, hits in groupby(found.hits, key=attrgetter("name"))]


def shown(scope: Scope, places: Sequence[Place], limits: Limits) -> list[Found]:
    """The places with their devices and the lines around, in order of names. Raises StoreError."""
    devices = Device.objects.filter(tenant=scope.tenant, retired_at=None)
    known = devices.select_related("tenant").in_bulk({place.device_id for place in places})
    found = [
        Found(
            known[place.device_id],
            place.name,
            lines_of(place, limits),
            len(place.hits) > limits.per_file,
            masked=not scope.secrets,
        )
        for place in places
        if place.device_id in known
    ]
    return sorted(found, key=lambda one: (one.device.name, one.name))


def lines_of(place: Place, limits: Limits) -> tuple[Line, ...]:
    """The lines of a file that are shown."""
    hits = place.hits[: limits.per_file]
    if not limits.context:
        return tuple(Line(hit.number, hit.text, match=True) for hit in hits)
    return with_context(place.content().split(b"\n"), [hit.number for hit in hits], limits.context)


def with_context(lines: Sequence[bytes], numbers: Iterable[int], context: int) -> tuple[Line, ...]:
    """The numbered lines and as many before and after each, every line once."""
    last = len(lines) - (not lines[-1])  # what follows the last newline is no line
    matches = set(numbers)
    wanted = {near for number in matches for near in range(max(1, number - context), min(last, number + context) + 1)}
    return tuple(Line(number, lines[number - 1][:LONGEST_LINE], number in matches) for number in sorted(wanted))


def prepare_tenant(tenant: Tenant, *, seconds: float) -> int:
    """Have the masked texts of a tenant's current files ready, and the old ones gone; how many are still missing.

    For whoever has time: a search after it has nothing left to mask. Raises StoreError.
    """
    head = Repository.objects.filter(pk=tenant.pk).values_list("head", flat=True).first()
    if head is None:
        return 0
    store, folder = open_store(tenant.pk), folder_of(tenant.pk)
    sources = set(current_sources(store, tenant, head).values())
    missing = prepare(store, sources, folder, until=monotonic() + seconds)
    sweep(folder, {source.name for source in sources})
    return len(missing)
