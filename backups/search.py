"""Which devices have this line: a search through the newest version of every device that somebody may see.

Who may see secrets searches what the devices said, in one `git grep` for each tenant. Everybody else searches the
masked texts (`backups/masked_texts.py`) and nothing but them, so neither what is found nor how long it takes says
anything about a secret. The past is searched in `backups/past.py`.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from time import monotonic
from uuid import UUID

from backups.content import SECRETS
from backups.current_texts import Corpus, Place, Places, places_in, prepare_corpus
from backups.errors import StoreError
from backups.models import Repository
from backups.store.grep import LONGEST_LINE, Cut, GrepCaps, Pattern
from inventory.models import Device, Tenant
from inventory.roles import AnyUser, may, tenants_with

VIEW = "backups.view_snapshot"
AT_ONCE = min(8, os.cpu_count() or 1)  # tenants; git itself searches one with several threads


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
    hunt = Hunt(pattern, limits or Limits())
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            for scope, future in in_turn(pool, hunt, corpora(scopes, devices)):
                hunt.take(scope, future)
        finally:
            hunt.over = True  # those that still wait for a thread end at once
    return hunt.answer


class Hunt:
    """One search while it goes on."""

    def __init__(self, pattern: Pattern, limits: Limits) -> None:
        self.pattern, self.limits = pattern, limits
        self.ends = monotonic() + limits.seconds
        self.left = limits.lines
        self.over = False
        self.answer = Answer()

    def places(self, corpus: Corpus) -> Places | None:
        """Search one tenant, in a thread; None where there is nothing left to search with."""
        seconds = self.ends - monotonic()
        if self.over or seconds <= 0:
            return None
        # One line more than is shown of a file tells whether there is more.
        caps = GrepCaps(lines=self.limits.lines, per_file=self.limits.per_file + 1, seconds=seconds)
        return places_in(corpus, self.pattern, caps, preparing=self.limits.preparing)

    def take(self, scope: Scope, future: Future[Places | None]) -> None:
        """Add what one tenant's search came to. Raises PatternRefused."""
        try:
            places = future.result()
            found = shown(scope, places.places, self.limits) if places else []
        except StoreError as error:
            self.answer.problems[scope.tenant] = error
            return
        kept = first(found, self.left)
        self.answer.found += kept
        self.answer.not_ready += places.not_ready if places else 0
        self.left -= sum(one.matches for one in kept)
        cut: Cut | None = places.cut if places else self.answer.cut or "time"
        if cut or kept != found:
            self.answer.cut = self.answer.cut or cut or "lines"
            self.answer.unsearched.append(scope.tenant)
            self.over = True


def in_turn(
    pool: ThreadPoolExecutor, hunt: Hunt, corpora: Iterable[tuple[Scope, Corpus]]
) -> Iterator[tuple[Scope, Future[Places | None]]]:
    """The searches of the tenants in their order, some of them under way ahead of their turn."""
    ahead: deque[tuple[Scope, Future[Places | None]]] = deque()
    for scope, corpus in corpora:
        ahead.append((scope, pool.submit(hunt.places, corpus)))
        if len(ahead) > 2 * AT_ONCE:
            yield ahead.popleft()
    yield from ahead


def corpora(scopes: Iterable[Scope], devices: Collection[UUID] | None = None) -> Iterator[tuple[Scope, Corpus]]:
    """The current texts of each tenant that has some, in the order of the tenants' names."""
    in_order = sorted(scopes, key=lambda scope: scope.tenant.name)
    tenants = [scope.tenant.pk for scope in in_order]
    heads = dict(Repository.objects.filter(pk__in=tenants).values_list("pk", "head"))
    gone = Device.objects.filter(tenant__in=tenants).exclude(retired_at=None)
    retired = frozenset(gone.values_list("pk", flat=True))
    for scope in in_order:
        if head := heads.get(scope.tenant.pk):
            yield scope, Corpus(scope.tenant.pk, head, devices, retired, None if scope.secrets else platforms(scope))


def platforms(scope: Scope) -> Mapping[UUID, str]:
    """The platform of each device of a tenant."""
    return dict(Device.objects.filter(tenant=scope.tenant).values_list("pk", "platform"))


def shown(scope: Scope, places: Sequence[Place], limits: Limits) -> list[Found]:
    """The places with their devices and the lines around, in order of names. Raises StoreError."""
    devices = Device.objects.filter(tenant=scope.tenant).select_related("tenant")
    known = devices.in_bulk({place.device_id for place in places})
    found = [
        Found(
            known[place.device_id],
            place.name,
            lines_of(place, limits),
            more=len(place.hits) > limits.per_file,
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


def first(found: Iterable[Found], lines: int) -> list[Found]:
    """The first of them, with so many lines that match and no more."""
    kept: list[Found] = []
    for one in found:
        if lines <= 0:
            break
        kept.append(shortened(one, lines))
        lines -= kept[-1].matches
    return kept


def shortened(found: Found, lines: int) -> Found:
    """The same file with no more lines that match than so many."""
    if found.matches <= lines:
        return found
    last = [line.number for line in found.lines if line.match][lines - 1]
    return replace(found, lines=tuple(line for line in found.lines if line.number <= last), more=True)


def prepare_tenant(tenant: Tenant, *, seconds: float) -> int:
    """Have the masked texts of a tenant's current files ready, and the old ones gone; how many are still missing.

    For whoever has time: a search after it has nothing left to mask. Raises StoreError.
    """
    return sum(prepare_corpus(corpus, seconds=seconds) for _, corpus in corpora([Scope(tenant, secrets=False)]))
