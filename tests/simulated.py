"""The systems that the simulator plays and a restore has a way for; without Django, as campaigns set it up late."""

from __future__ import annotations

SIMULATED = (
    "cisco_ios",
    "arista_eos",
    "juniper_junos",
    "vyos",
    "mikrotik_routeros",
    "cisco_xr",
    "cisco_nxos",
    "aruba_aoscx",
)
