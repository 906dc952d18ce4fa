"""The demo's story: a simulated fleet of two tenants is backed up over SSH, changed, compared, named, and gone back to,
in the record and on a device.

Nothing in it is staged: the fleet speaks real SSH, and every step calls what commands and admin call.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import monotonic

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from backups import runs, shard
from backups.conf import limits
from backups.models import Attempt, Run
from backups.netmiko_transport import NetmikoTransport
from backups.simulator import Device as SimulatedDevice
from backups.simulator import DeviceSpec, Fleet
from checkpoints import compare, diff, restore_jobs, services
from checkpoints.device_restore import push_restore
from checkpoints.models import Checkpoint
from checkpoints.restore_documents import diff_lines, restore_diff
from checkpoints.restore_planning import approve_restore, plan_restore, request_restore
from config.serving import Administrator
from inventory.errors import NetcairnError
from inventory.models import Credential, Device, DeviceSet, Tenant

TENANTS = ("alpine-telecom", "harbor-bank")
PLATFORMS = ("cisco_ios", "arista_eos", "juniper_junos", "mikrotik_routeros")
PLACES = ("zrh", "gva", "bsl", "lug", "brn", "chu")
SEED = 2026  # the same fleet each time, host keys included
USERNAME = "demo"
SIGNS = {"same": " ", "removed": "-", "added": "+"}
# What an engineer types on each system; it must be undone by the way back.
EDITS = {
    "cisco_ios": ("interface Loopback0", "description moved to the new core", "ntp server 192.0.2.123"),
    "arista_eos": ("interface Loopback0", "description moved to the new core", "ntp server 192.0.2.123"),
    "juniper_junos": ("set system ntp server 192.0.2.123", "set interfaces lo0 description moved-to-the-new-core"),
    "mikrotik_routeros": ("/system identity set name=moved-to-the-new-core",),
}


class DemoFailed(NetcairnError):
    """Something that the demo promises did not happen; it never says that it did."""

    cause = "demo-failed"


class NotForTheDemo(NetcairnError):
    """This installation holds somebody's network; the demo does not mix with it."""

    cause = "not-for-the-demo"


@dataclass(frozen=True)
class Report:
    """How many devices came to what in a backup."""

    runs: Sequence[Run]
    seconds: float

    def __str__(self) -> str:
        counted = Attempt.objects.filter(run__in=self.runs)
        states = {state: counted.filter(state=state).count() for state in Attempt.State.values}
        words = ", ".join(f"{count} {state}" for state, count in states.items() if count)
        return f"{words} in {self.seconds:.1f} s"


class Demo:
    """One telling of the story. `say` takes a line for people."""

    def __init__(self, fleet: Fleet, say: Callable[[str], None]) -> None:
        self.fleet = fleet
        self.say = say
        self.started = monotonic()
        self.chapter = 0

    def tell(self) -> Checkpoint:
        """All chapters; gives back the checkpoint that was gone back to."""
        with self.titled(f"Registering {len(self.fleet)} devices of {len(PLATFORMS)} systems for two tenants"):
            self.register()
        with self.titled("Backing everything up over SSH"):
            self.say(f"   {self.back_up()}")
        with self.titled("An engineer changes one device in five; everything is backed up again"):
            changed = self.change_some()
            self.say(f"   {self.back_up()}")
        with self.titled(f"What changed on {changed.name}"):
            self.show_change(changed)
        with self.titled("Naming this moment"):
            named = self.name_moment(changed.tenant)
        with self.titled("A night of wrong changes, backed up like everything else"):
            self.spoil(changed.tenant)
            self.say(f"   {self.back_up()}")
        with self.titled("Going back to the named moment in the record"):
            self.go_back(named)
        with self.titled("A device breaks off in the middle of its answer"):
            self.cut_one_off()
        with self.titled(f"Putting {changed.name} itself back: plan, approve, push, read back"):
            self.put_back(changed, named)
        return named

    @contextmanager
    def titled(self, title: str) -> Iterator[None]:
        """One chapter with its number."""
        self.chapter += 1
        self.say(f"\n{self.chapter}. {title}")
        yield

    def register(self) -> None:
        """Tenants, credentials and devices, as the import would make them."""
        with transaction.atomic():
            for name in TENANTS:
                tenant, _ = Tenant.objects.get_or_create(name=name)
                credential, _ = Credential.objects.get_or_create(tenant=tenant, name="network", username="admin")
                credential.set_password(self.fleet[0].password)
                credential.save()
                for simulated in self.of_tenant(name):
                    register_device(tenant, credential, simulated)

    def of_tenant(self, name: str) -> list[SimulatedDevice]:
        """The tenant's half of the fleet."""
        half = (len(self.fleet) + 1) // 2
        devices = list(self.fleet)
        return devices[:half] if name == TENANTS[0] else devices[half:]

    def back_up(self, devices: DeviceSet | None = None) -> Report:
        """These devices or all of both tenants, as the command `backup` does it."""
        began, now = monotonic(), timezone.now()
        devices = devices or Device.objects.filter(tenant__name__in=TENANTS)
        asked = runs.start_runs(
            devices.collectable(), requested_by=USERNAME, trigger=Run.Trigger.HAND, by_queue=False, now=now
        )
        for run in asked:
            shard.work_on(run, transport=NetmikoTransport(), limits=limits(), threads=8)
        return Report(asked, monotonic() - began)

    def change_some(self) -> Device:
        """Edit every fifth device at its console; one of them."""
        for simulated in list(self.fleet)[::5]:
            simulated.edit(EDITS[simulated.platform])
        return Device.objects.get(tenant__name=TENANTS[0], name=self.fleet[0].name)

    def show_change(self, device: Device) -> None:
        """The difference of the device's last two versions."""
        new, old = device.snapshots.order_by("-seq")[:2]
        comparison = compare.compare(old, new)
        for file in compare.file_diffs(comparison, masked=True, hide_volatile=True):
            for line in patch_lines(file.diff.patch):
                self.say(f"   {line}")

    def name_moment(self, tenant: Tenant) -> Checkpoint:
        """A checkpoint by hand, with a ref."""
        checkpoint = services.create_checkpoint(
            tenant,
            message="Core migration finished",
            author=USERNAME,
            tags=["approved"],
            ref="last-approved",
            now=timezone.now(),
        )
        self.say(
            f'   Checkpoint "{checkpoint.message}" of {tenant}: {checkpoint.device_count} devices, ref last-approved'
        )
        return checkpoint

    def cut_one_off(self) -> None:
        """Half an answer is put into quarantine, and the last good version stays the newest."""
        simulated = self.of_tenant(TENANTS[1])[0]
        device = Device.objects.get(tenant__name=TENANTS[1], name=simulated.name)
        newest = device.snapshots.latest("seq")
        simulated.set_faults("truncate")
        self.say(f"   {self.back_up(Device.objects.filter(tenant=device.tenant))}")
        simulated.set_faults()
        attempt = device.attempts.latest("pk")
        if attempt.state != Attempt.State.QUARANTINED or device.snapshots.latest("seq") != newest:
            raise DemoFailed(f"The cut answer of {device.name} was not put into quarantine.")
        self.say(f"   {device.name}: {attempt.detail}")
        self.say("   Its text waits in quarantine for a look; the last good version is still the newest.")

    def spoil(self, tenant: Tenant) -> None:
        """Changes that somebody will want to be rid of."""
        for simulated in self.of_tenant(tenant.name)[:3]:
            if simulated.platform in ("cisco_ios", "arista_eos"):
                simulated.edit(("interface Loopback0", "description oops", "no ntp server 192.0.2.123"))

    def go_back(self, checkpoint: Checkpoint) -> None:
        """Plan, carry out, and compare every byte."""
        plan = services.plan_record_restore(checkpoint)
        self.say(f"   Plan: {len(plan.back)} devices go back.")
        went = services.restore_record(plan, author=USERNAME, now=timezone.now())
        if went.checkpoint is None:
            raise DemoFailed("There was something to go back to, and nothing was done.")
        left = compare.compare(checkpoint, went.checkpoint).changes
        if left:
            raise DemoFailed(f"{len(left)} files of the record still differ from the checkpoint.")
        self.say("   The record equals the checkpoint again, byte for byte; the wrong versions stay in the history.")

    def put_back(self, device: Device, checkpoint: Checkpoint) -> None:
        """The whole way back onto a device that still runs the wrong changes, as the command `restore` does it."""
        means = replace(restore_jobs.live_means(), told=lambda what: self.say(f"   {what}"))
        restore = request_restore(device, checkpoint, by=USERNAME, now=means.clock())
        plan = plan_restore(restore, by=USERNAME, means=means)
        found = restore_diff(restore, masked=True, context=0)
        for line in [*(diff_lines(found[0]) if found else ()), *plan.commands]:
            self.say(f"   {line}")
        approve_restore(restore, fingerprint=restore.fingerprint, by=USERNAME, now=means.clock())
        outcome = push_restore(restore, by=USERNAME, means=means)
        if outcome.result != "confirmed":
            raise DemoFailed(f"{device.name} was not put back: {outcome.detail}")
        self.say(f"   {device.name} was read back through a new session: it runs the checkpoint, and saved it.")
        self.say("   The admin shows the plan and every state under Restores.")


def guard() -> None:
    """Refuse to tell the story inside somebody's installation. Raises NotForTheDemo."""
    others = Tenant.objects.exclude(name__in=TENANTS).values_list("name", flat=True)
    if others:
        raise NotForTheDemo(
            f"This installation already holds the tenant {others[0]}; run the demo beside it: "
            "NETCAIRN_VAR=/tmp/netcairn-demo DATABASE_URL= ./netcairn demo"
        )


def specs(count: int) -> list[DeviceSpec]:
    """Names like zrh-core-01, half of the fleet for each tenant."""
    return [
        DeviceSpec(
            PLATFORMS[n % len(PLATFORMS)], name=f"{PLACES[n // len(PLATFORMS) % len(PLACES)]}-{role(n)}-{n + 1:02d}"
        )
        for n in range(count)
    ]


def role(n: int) -> str:
    """What a device of that number is for."""
    return ("core", "leaf", "edge", "cpe")[n % len(PLATFORMS)]


def register_device(tenant: Tenant, credential: Credential, simulated: SimulatedDevice) -> None:
    """One device, at the address where it answers this time."""
    Device.objects.update_or_create(
        tenant=tenant,
        name=simulated.name,
        defaults={
            "address": simulated.address,
            "port": simulated.port,
            "platform": simulated.platform,
            "credential": credential,
            "site": simulated.name.split("-")[0],
            "tags": [simulated.name.split("-")[1]],
        },
    )


def patch_lines(patch: diff.FilePatch) -> Iterator[str]:
    """The changed lines with their surroundings, as people know them."""
    for hunk in patch.hunks:
        yield f"@@ {hunk.heading}".rstrip()
        for line in hunk.lines:
            yield SIGNS[line.sign] + diff.visible(line.text)


def account() -> Administrator:
    """Somebody to log in as, with a new password each time."""
    password = secrets.token_urlsafe(12)
    user, _ = get_user_model()._default_manager.get_or_create(
        username=USERNAME, defaults={"is_staff": True, "is_superuser": True}
    )
    user.set_password(password)
    user.save(update_fields=["password"])
    return Administrator(USERNAME, password)
