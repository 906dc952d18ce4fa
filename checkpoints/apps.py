"""Naming a moment, comparing, going back, throwing away."""

from __future__ import annotations

from django.apps import AppConfig


class CheckpointsConfig(AppConfig):
    """Checkpoints and the names that point at them."""

    name = "checkpoints"
