"""The newest version of every device of a tenant, as a body of text to be searched: as it is, or masked.

Without a question to the database, so that several tenants can be searched at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from operator import attrgetter
from time import monotonic
from uuid import UUID

from backups.content import sheet
from backups.masked_texts import Source, folder_of, prepare, read, sweep, veil
from backups.store import layout
from backups.store.grep import Cut, GrepCaps, Hit, Hits, Pattern, grep_commit, grep_folder
from backups.store.reader import TenantStore, open_store
from backups.store.walk import file_at

FEW = 500  # files that are named to git one by one, instead of searching all and choosing afterwards


@dataclass(frozen=True)
class Corpus:
    """A tenant's current texts, and which of them are searched how."""

    tenant_id: UUID
    head: str
    devices: Collection[UUID] | None = None  # only these, where some are given
    retired: Collection[UUID] = ()  # and not these
    platforms: Mapping[UUID, str] | None = None  # of all devices, to search the masked texts; None: those that are kept

    def has(self, device_id: UUID) -> bool:
        """Whether a device's texts count."""
        return device_id not in self.retired and (self.devices is None or device_id in self.devices)

    def folders(self) -> list[str]:
        """The folders of the devices, where few are given; else none."""
        return [layout.device_folder(one) for one in self.devices] if self.devices and len(self.devices) <= FEW else []


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
    cut: Cut | None = None
    not_ready: int = 0  # files whose masked text is not there yet


def places_in(corpus: Corpus, pattern: Pattern, caps: GrepCaps, *, preparing: float) -> Places:
    """Where current texts match; `preparing`: seconds that may go into masking. Raises PatternRefused, StoreError."""
    store = open_store(corpus.tenant_id)
    if corpus.platforms is None:
        return clear_places(store, corpus, pattern, caps)
    return masked_places(store, corpus, pattern, caps, preparing=preparing)


def clear_places(store: TenantStore, corpus: Corpus, pattern: Pattern, caps: GrepCaps) -> Places:
    """In what the devices said."""

    def wanted(path: str) -> bool:
        place = layout.parse_device_file(path)
        return place is not None and corpus.has(place[0])

    found = grep_commit(store.git, corpus.head, pattern, caps, paths=corpus.folders(), wanted=wanted)
    places = [
        Place(*place, hits, partial(text_at, store, corpus.head, *place))
        for path, hits in by_name(found)
        if (place := layout.parse_device_file(path))
    ]
    return Places(places, found.cut)


def text_at(store: TenantStore, commit: str, device_id: UUID, name: str) -> bytes:
    """A text in which git has just found something."""
    return file_at(store, commit, device_id, name) or b""


def masked_places(store: TenantStore, corpus: Corpus, pattern: Pattern, caps: GrepCaps, *, preparing: float) -> Places:
    """In the masked texts of what the devices said."""
    began, folder = monotonic(), folder_of(corpus.tenant_id)
    sources = sources_of(store, corpus)
    missing = prepare(store, set(sources.values()), folder, until=began + min(preparing, caps.seconds))
    ready: dict[str, list[tuple[UUID, str]]] = {}
    for place, source in sources.items():
        if source.name not in missing:
            ready.setdefault(source.name, []).append(place)
    not_ready = len(sources) - sum(map(len, ready.values()))
    if not ready:
        return Places([], None, not_ready)
    names = sorted(ready) if len(ready) <= FEW else ()
    caps = replace(caps, seconds=caps.seconds - (monotonic() - began))
    found = grep_folder(store.git, folder, pattern, caps, paths=names, wanted=ready.__contains__)
    places = [
        Place(*place, hits, partial(read, folder, name)) for name, hits in by_name(found) for place in ready[name]
    ]
    return Places(places, found.cut, not_ready)


def sources_of(store: TenantStore, corpus: Corpus) -> dict[tuple[UUID, str], Source]:
    """Every current file, with what its masked text is made from."""
    folders, platforms = corpus.folders(), corpus.platforms or {}
    tree = store.entries(corpus.head, folders) if folders else store.tree(corpus.head, layout.DEVICES)
    veils = {slug: veil(sheet(slug)) for slug in set(platforms.values())}
    found = {layout.parse_device_file(path): entry for path, entry in tree.items()}
    return {
        place: Source(entry.id, veils[platforms[place[0]]])
        for place, entry in found.items()
        if place and place[0] in platforms and corpus.has(place[0])
    }


def by_name(found: Hits) -> Iterable[tuple[str, tuple[Hit, ...]]]:
    """The hits of each file; git says those of one file together."""
    return ((name, tuple(hits)) for name, hits in groupby(found.hits, key=attrgetter("name")))


def prepare_corpus(corpus: Corpus, *, seconds: float) -> int:
    """Have the masked texts ready and those that nobody needs gone; how many are still missing. Raises StoreError."""
    store, folder = open_store(corpus.tenant_id), folder_of(corpus.tenant_id)
    sources = set(sources_of(store, corpus).values())
    missing = prepare(store, sources, folder, until=monotonic() + seconds)
    sweep(folder, {source.name for source in sources})
    return len(missing)
