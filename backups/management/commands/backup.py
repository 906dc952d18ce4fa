"""`backup`: collect devices now and keep what changed."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from backups import helpers, jobs, runs, shard
from backups.conf import limits, threads
from backups.models import Attempt, Run
from backups.netmiko_transport import NetmikoTransport
from inventory.commands import NetcairnCommand, Table, WrongUse, find_device, find_tenant, operator, tenant_option
from inventory.models import Device


class Command(NetcairnCommand):
    """Collect now, in this process, or hand the work to the queue."""

    waiting = False

    help = "Collect the configurations of a tenant's devices, or of all, and keep what changed."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whom to ask, and who does it."""
        tenant_option(parser)
        parser.add_argument("--device", action="append", default=[], metavar="NAME", help="Only this one; repeatable.")
        parser.add_argument("--queue", action="store_true", help="Leave the work to the queue workers.")

    def handle(self, **options: Any) -> None:
        """One run per tenant."""
        devices = chosen(options["tenant"], options["device"])
        asked = jobs.enqueue_run(devices, requested_by=operator()) if options["queue"] else self.collect(devices)
        self.report(Run.objects.filter(pk__in=[run.pk for run in asked]).select_related("tenant"))

    def collect(self, devices: Sequence[Device]) -> list[Run]:
        """Do the work here."""
        now = timezone.now()
        runs.reap(now)
        asked = runs.start_runs(devices, requested_by=operator(), trigger=Run.Trigger.HAND, by_queue=False, now=now)
        progress = Progress(asked, len(devices))
        # Asked to end by a supervisor is as good as Ctrl-C: the claims are given back at once.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            for run in asked:
                self.work_on(run, progress)
        except KeyboardInterrupt:
            progress.close()
            for run in asked:
                runs.abandon(run, timezone.now())
            self.tell("Interrupted; what was stored until now is kept.")
            # The pool's threads may hang on devices until their deadline, and an orderly exit would wait for them.
            os._exit(130)
        finally:
            signal.signal(signal.SIGTERM, before)
        progress.close()
        return asked

    def work_on(self, run: Run, progress: Progress) -> None:
        """Collect one tenant's devices, on every core that is worth it."""

        def share(**options: Any) -> None:
            shard.work_on(run, transport=NetmikoTransport(), limits=limits(), threads=threads(), **options)

        more = min(helpers.cores(), jobs.shards(run.attempts.count())) - 1
        with helpers.helped(more, share):
            share(told=progress.advance, pause=self.wait)
        if more:  # one that died has left devices behind
            runs.reap(timezone.now())
            runs.end_run(run, timezone.now())

    def wait(self, seconds: float) -> None:
        """Say once why nothing happens: no device is ever logged in to twice at a time."""
        if not self.waiting:
            self.waiting = True
            limit = runs.SILENCE.total_seconds()
            self.tell(
                "Waiting for devices that another run talks to (`run list`); "
                f"if that run was killed on another machine, at most {limit:.0f} seconds."
            )
        time.sleep(seconds)
        runs.reap(timezone.now())

    def report(self, asked: Any) -> None:
        """Say what came of it; exit 1 when a device was not backed up."""
        documents = [run_document(run) for run in asked.order_by("tenant__name")]
        self.answer({"runs": documents}, run_table(documents))
        for run in documents:
            for attempt in run["attempts"]:
                if attempt["detail"]:
                    self.tell(f"{attempt['device']}: {attempt['detail']}")
        if any(run["counts"]["failed"] or run["counts"]["quarantined"] for run in documents):
            sys.exit(1)


def chosen(tenant_name: str | None, names: Sequence[str]) -> list[Device]:
    """The devices that are meant; a named one is collected even where it is disabled for runs."""
    if names:
        return list({device.pk: device for device in (find_device(name, tenant_name) for name in names)}.values())
    devices = Device.objects.collectable().order_by("name")
    if tenant_name:
        devices = devices.filter(tenant=find_tenant(tenant_name))
    found = list(devices)
    if not found:
        raise WrongUse("There is no enabled device to back up; add some with `devices import FILE --tenant NAME`.")
    return found


def run_document(run: Run) -> dict[str, Any]:
    """A run as `--json` shows it."""
    attempts = run.attempts.select_related("device").order_by("device__name")
    checkpoint = run.checkpoints.values_list("pk", flat=True).first()
    return {
        "id": run.pk,
        "tenant": run.tenant.name,
        "state": run.state,
        "counts": run.counts(),
        "commit": run.commit or None,
        "checkpoint": checkpoint,
        "seconds": round((run.ended_at - run.requested_at).total_seconds(), 3) if run.ended_at else None,
        "attempts": [attempt_document(attempt) for attempt in attempts],
    }


def attempt_document(attempt: Attempt) -> dict[str, Any]:
    """An attempt as `--json` shows it."""
    return {
        "device": attempt.device.name,
        "state": attempt.state,
        "cause": attempt.cause or None,
        "detail": attempt.detail or None,
        "seconds": attempt.seconds,
    }


def run_table(documents: Sequence[dict[str, Any]]) -> Table:
    """A line a run."""
    states = [state for state in Attempt.State.values if any(run["counts"][state] for run in documents)]
    return Table(
        ["tenant", "state", *states, "seconds", "checkpoint"],
        [
            [run["tenant"], run["state"], *(run["counts"][s] for s in states), run["seconds"], run["checkpoint"]]
            for run in documents
        ],
    )


class Progress:
    """A bar on stderr, when a person is looking."""

    WIDTH = 40

    def __init__(self, asked: Sequence[Run], total: int) -> None:
        self.asked = asked
        self.total = total
        self.shown = sys.stderr.isatty() and total > 1

    def advance(self, _: Sequence[Attempt]) -> None:
        """Some more are done: ask how many, for helpers do their share unheard."""
        if self.shown:
            done = self.total - Attempt.objects.filter(run__in=self.asked).open().count()
            bar = "#" * (self.WIDTH * done // self.total)
            sys.stderr.write(f"\r[{bar:<{self.WIDTH}}] {done} of {self.total}")
            sys.stderr.flush()

    def close(self) -> None:
        """Leave the line to the answer."""
        if self.shown:
            sys.stderr.write("\r" + " " * (self.WIDTH + 30) + "\r")
