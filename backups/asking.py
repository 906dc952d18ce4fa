"""Sending a worker's threads to devices: which credentials they take along, and what they learn on the way.

The threads have no database. What they found out about accounts and jump hosts is written down by the thread that has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from backups.accounts import Accounts
from backups.capture import stable_digest
from backups.collect import Collected, WantsArtefact, never
from backups.errors import BackupError, HostKeyChanged, JumpHostRefused, ProcessingFailed
from backups.floor import FLOOR
from backups.logins import collect_by_any
from backups.models import Snapshot
from backups.processing import Processing, altered, process
from backups.processing_models import PostProcessing
from backups.ssh_jump import JUMP_HOSTS
from backups.store.packing import packed
from backups.targets import Targets, as_stored, pin_host_key, platform_of
from backups.transport import Limits, Transport
from inventory.host_key_services import stranger_met
from inventory.jump_hosts import JumpHost
from inventory.models import Device, Tenant
from inventory.notices import Level, settle, tell
from inventory.platforms.sheet import Platform


def artefacts_wanted(device: Device, last: Snapshot | None, now: datetime) -> WantsArtefact:
    """Files that differ each time: with a text that has changed, and else when the last version is old enough."""
    if device.tenant.secrets_policy != Tenant.Secrets.KEEP:
        return never  # what is no text cannot be stored without its secrets
    if last is None:
        return lambda _file, _digest: True
    return lambda file, digest: digest != last.digest or now - last.taken_at >= timedelta(days=file.every_days)


PROCESSING_FAILED = "processing.failed"  # the code of the alarm


class Asker:
    """How one share of a run asks devices."""

    def __init__(self, tenant_id: UUID, *, transport: Transport, limits: Limits, clock: Callable[[], datetime]) -> None:
        self.transport, self.limits, self.clock = transport, limits, clock
        self.targets = Targets(tenant_id)
        self.accounts = Accounts(clock)
        self.processings = PostProcessing.objects.of(tenant_id)
        self.told: dict[str, bool] = {}  # of platforms: whether their post-processing has failed

    def visit(self, device: Device, last: Snapshot | None) -> Callable[[], Collected]:
        """What a thread has to do with the device. Raises a BackupError where it cannot even be asked."""
        platform = platform_of(device)
        ways = self.targets.of(device)
        for credential, _ in ways:
            self.accounts.know(credential)
        last_good = said_sizes(last) if last else {}
        visit = partial(
            collect_by_any,
            [target for _, target in ways],
            platform,
            gate=self.accounts.gate,
            transport=self.transport,
            limits=self.limits,
            last_good=last_good,
            wants_artefact=artefacts_wanted(device, last, self.clock()),
        )
        if processing := self.processings.get(device.platform):
            environment = {"NETCAIRN_DEVICE": device.name, "NETCAIRN_PLATFORM": device.platform}
            visit = partial(processed, visit, processing, platform, environment)
        return partial(made_ready, visit, device, last.digest if last else "")

    def succeeded(self, device: Device, collected: Collected) -> None:
        """Remember by which key it is known, and what opens it."""
        pin_host_key(device, collected.host_key)
        self.tell_of_processing(device, collected.note)
        worked = UUID(collected.credential) if collected.credential else None
        if worked not in (None, device.working_credential_id or device.credential_id):
            fallback = worked if worked != device.credential_id else None
            Device.objects.filter(pk=device.pk).update(working_credential=fallback)

    def tell_of_processing(self, device: Device, note: str) -> None:
        """Raise the alarm at the first failure of a platform's post-processing; settle it where there is none."""
        if device.platform not in self.processings or self.told.get(device.platform, not note) == bool(note):
            return
        self.told[device.platform] = bool(note)
        if note:
            text = f"{device.name}: {note} Captures are kept as the devices say them."
            tell(device.tenant, code=PROCESSING_FAILED, about=device.platform, text=text, level=Level.ALARM)
        else:
            settle(device.tenant, code=PROCESSING_FAILED, about=device.platform)

    def failed(self, device: Device, error: BackupError) -> None:
        """Raise the alarm where somebody is not who they were."""
        if isinstance(error, HostKeyChanged) and error.presented:
            stranger_met(device, error.presented, now=self.clock())
        if isinstance(error, JumpHostRefused) and error.presented:
            stranger_met(JumpHost.objects.get(pk=error.hop), error.presented, now=self.clock())

    def write_down(self) -> None:
        """What was learnt about jump hosts on the way."""
        for key, shown in JUMP_HOSTS.news().items():
            JumpHost.objects.filter(pk=key, host_key="").update(host_key=shown)


def said_sizes(last: Snapshot) -> dict[str, int]:
    """What a device said last, in bytes, by file; without what post-processing has added."""
    said: dict[str, int] = {name: entry["said"] for name, entry in last.files.items() if "said" in entry}
    return said or {name: entry["size"] for name, entry in last.files.items()}


def processed(
    visit: Callable[[], Collected], processing: Processing, platform: Platform, environment: Mapping[str, str]
) -> Collected:
    """What a visit brought, post-processed; as it is where that fails, with a note. Runs in a thread, without database.

    A capture with doubts is left alone: it is not kept, and a person is to see what the device said.
    """
    collected = visit()
    files = collected.capture.files
    required = [source.filename for source in platform.sources if not source.optional]
    if not collected.capture.good:
        return collected
    try:
        done = process(processing, files, required=required, environment=environment)
    except ProcessingFailed as failure:
        return replace(collected, note=f"Post-processing failed. {failure}")
    capture = replace(collected.capture, files=done, digest=stable_digest(platform, done))
    said = {name: len(content) for name, content in files.items()}
    return replace(collected, capture=capture, said=said, altered=altered(files, done))


def made_ready(visit: Callable[[], Collected], device: Device, last_digest: str) -> Collected:
    """What a visit brought, as its tenant wants it stored, and packed where it is new. In a thread, without database.

    Not where it is written: compressing took half the time of a batch of large texts, with the tenant's lock in hand.
    What is packed is left out as text: with a hundred threads there are tens of megabytes of it, waiting to be written.
    """
    collected = visit()
    with FLOOR.in_turn():
        capture = as_stored(device, collected.capture)
        new = capture.good and (capture.digest != last_digest or collected.artefacts)
        if not new:
            return replace(collected, capture=capture)
        files = {name: packed("blob", content) for name, content in capture.files.items()}
    return replace(collected, capture=replace(capture, files={}), packed=files)
