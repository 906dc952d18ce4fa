"""Quanta Mesh switches (QNOS)."""

from inventory.platforms.broadcom_icos import PLATFORM as ICOS
from inventory.platforms.sheet import Platform

PLATFORM = Platform(
    slug="quanta_mesh",
    label="Quanta Mesh switches (QNOS)",
    netmiko_type="quanta_mesh",
    commands=ICOS.commands,
    restore=ICOS.restore,
    verified="none",
    source="from memory: QNOS is a FASTPATH, and this is what `broadcom_icos` says of it",
    enable=True,
    volatile=ICOS.volatile,
    secrets=ICOS.secrets,
    refusals=ICOS.refusals,
    pager=ICOS.pager,
    save=("copy running-config startup-config",),
)
