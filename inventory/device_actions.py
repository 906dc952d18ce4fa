"""What the actions on devices would do, in the words of the page that asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import now

from inventory.confirmation import Plan
from inventory.models import Device

__all__ = ["now", "plan_to_bring_back", "plan_to_disable", "plan_to_enable", "plan_to_forget", "plan_to_retire", "told"]

NAMED = 50  # devices that a plan names; more would be scrolled past, not read


def number_of(devices: int) -> str:
    """`1 device`, `2 devices`"""
    return f"{devices:,} {'device' if devices == 1 else 'devices'}"


def told(what: str, devices: int) -> str:
    """What came of it."""
    return f"{number_of(devices)} {'was' if devices == 1 else 'were'} {what}."


def named(devices: Sequence[Device]) -> list[str]:
    """Each with its tenant, up to a number that people read."""
    lines = [f"{device.name} ({device.tenant.name}, {device.address})" for device in devices[:NAMED]]
    return lines + ([f"and {len(devices) - NAMED:,} more"] if len(devices) > NAMED else [])


def planner(
    verb: str, affects: Callable[[Device], bool], nothing: str, warning: str = ""
) -> Callable[[Any, HttpRequest, QuerySet], Plan]:
    """A function that plans one action: which of the devices it affects, and what to say where that is none."""

    def plan(_page: Any, _request: HttpRequest, rows: QuerySet) -> Plan:
        affected = [device for device in rows.select_related("tenant") if affects(device)]
        question = f"{verb} {number_of(len(affected))}?"
        if not affected:
            return Plan(question, refusal=nothing)
        return Plan(question, named(affected), warning=warning, button=f"{verb} {number_of(len(affected))}")

    return plan


plan_to_enable = planner("Enable", lambda device: not device.enabled, "All of them are enabled already.")
plan_to_disable = planner(
    "Disable",
    lambda device: device.enabled,
    "All of them are disabled already.",
    "Runs will pass them by, and their configurations will grow old without anybody being told.",
)
plan_to_retire = planner(
    "Retire",
    lambda device: device.retired_at is None,
    "All of them are retired already.",
    "Runs will not ask them any more, and they leave the current tree. Everything that was kept of them stays.",
)
plan_to_bring_back = planner("Bring back", lambda device: device.retired_at is not None, "None of them is retired.")
plan_to_forget = planner(
    "Forget the host key of",
    lambda device: bool(device.host_key),
    "None of them has a pinned host key.",
    "The next connection trusts whatever key it meets and sends the password there. "
    "Do this only when you know why the key has changed.",
)
