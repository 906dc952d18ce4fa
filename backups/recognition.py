"""Finds out what devices run: the Django side of `detection.py`."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from backups.detection import LIMITS, Detected, detect
from backups.errors import CollectError
from backups.netmiko_transport import NetmikoTransport
from backups.targets import target_of
from backups.transport import Target
from inventory.models import Device
from inventory.platforms import registry
from inventory.services import Recognised

AT_A_TIME = 20  # devices that are logged in to at the same time


def recognise_all(devices: Sequence[Device], *, deadline: float = LIMITS.deadline) -> list[Recognised]:
    """Look at several devices at the same time, in their order; saved or not, and nothing is saved."""
    targets = [target_or_reason(device) for device in devices]
    with ThreadPoolExecutor(max_workers=AT_A_TIME) as pool:
        return list(pool.map(partial(recognised, deadline=deadline), targets))


def target_or_reason(device: Device) -> Target | str:
    """How to reach the device, or why it cannot be: what is asked of the database is asked before the threads."""
    try:
        return target_of(device)
    except CollectError as exc:
        return str(exc)


def recognised(target: Target | str, *, deadline: float) -> Recognised:
    """What one device runs, in a sentence."""
    if isinstance(target, str):
        return Recognised("", target)
    try:
        detected = look(target, deadline=deadline)
    except CollectError as exc:
        return Recognised("", str(exc))
    return Recognised(detected.sure.slug if detected.sure else "", sentence(target.name, detected))


def look(target: Target, *, deadline: float) -> Detected:
    """Log in and ask. Raises a CollectError."""
    limits = replace(LIMITS, deadline=deadline)
    return detect(target, registry.platforms(), transport=NetmikoTransport(), limits=limits)


def sentence(name: str, detected: Detected) -> str:
    """What was found, for people."""
    if detected.sure:
        return f"{name} runs {detected.sure.label} ({detected.sure.slug}): {detected.sure.because}."
    if detected.proposals:
        likely = ", ".join(f"{one.label} ({one.slug}), because {one.because}" for one in detected.proposals)
        return f"{name} may run {likely}; choose its platform."
    return f"{name} was not recognised; choose its platform from what `platforms` lists."
