"""A version beside what its device starts with: the difference is what the next restart would change."""

from __future__ import annotations

from dataclasses import dataclass

from backups.models import Snapshot
from backups.store.reader import open_store
from backups.targets import platform_of
from checkpoints.compare import Comparison, FileChange, Side, side_of
from checkpoints.errors import NotComparable
from checkpoints.find import Version
from checkpoints.manifest import Content
from checkpoints.plan_checks import loadable
from checkpoints.session_risks import paths
from inventory.models import Device

STARTUP = "startup"
FILES = ("startup.cfg", "saved.cfg")  # what the sheets call it


@dataclass(frozen=True)
class StartupSide(Side):
    """What a device starts with."""

    @property
    def label(self) -> str:
        """Seen just now."""
        return f"what {self.version.device} starts with" if isinstance(self.version, Snapshot) else super().label


def startup_file(device: Device) -> str:
    """The file of a capture that shows what the device starts with. Raises NotComparable, UnknownPlatform."""
    platform = platform_of(device)
    for name in FILES:
        if name in platform.filenames:
            return name
    raise NotComparable(f"Of a {platform.label} no startup configuration is collected: there is nothing to compare.")


def compare_startup(version: Version, seen: Snapshot) -> Comparison:
    """What a version says of running beside what the device starts with, as it was `seen` just now.

    Without changes where both hold the same settings: headings differ always. Raises NotComparable, UnknownPlatform,
    NothingKept, StoreDamaged.
    """
    device, platform = seen.device, platform_of(seen.device)
    saved, running = startup_file(device), platform.filenames[0]
    if saved not in seen.files:
        raise NotComparable(f"{device} gave no startup configuration: it never saved, or the account may not see it.")
    store = open_store(device.tenant_id)
    old = side_of(version, store, [device.pk])
    held = old.manifest.get(device.pk, {}).get(running)
    if held is None:
        raise NotComparable(f"{old.label.capitalize()} holds no {running} of {device}.")
    new = Content(seen.files[saved]["blob"], seen.files[saved]["size"])
    texts = loadable(platform, saved, *({saved: store.blob(content.blob)} for content in (held, new)))
    before, after = (list(paths(text)) for text in texts)
    changes = () if before == after else (FileChange(device, saved, held, new, device),)
    return Comparison(old, StartupSide(seen, {device.pk: {saved: new}}, device=device.pk), changes, store)
