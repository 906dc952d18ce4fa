"""The actions on pinned host keys, for the pages of devices and of jump hosts."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from inventory import device_actions, host_key_services
from inventory.confirmation import Plan, confirmed_action
from inventory.pinned import Pinned


def by(request: HttpRequest) -> str:
    """Who asks."""
    return request.user.get_username()


def both_keys(row: Pinned) -> list[str]:
    """The two fingerprints one below the other, to be compared."""
    return [f"{row}: pinned {row.host_key_fingerprint() or 'none'}", f"{row}: shown {row.presented_fingerprint()}"]


def plan_to_accept(_page: Any, _request: HttpRequest, rows: QuerySet[Pinned]) -> Plan:
    """Old and new, side by side."""
    waiting = list(rows.strangers().order_by("name"))  # type: ignore[attr-defined]
    question = f"Trust the new host key of {device_actions.number_of(len(waiting))}?"
    if not waiting:
        return Plan("Trust a new host key?", refusal="None of them has shown another key than the pinned one.")
    if len(waiting) == 1:
        question = f"Trust the new host key of {waiting[0]}?"
    return Plan(
        question,
        [line for row in waiting for line in both_keys(row)],
        warning="From then on the password is sent to whoever holds the new key. Compare it with what the device "
        "itself says on its console, or know that it was replaced.",
        button="Trust the new key",
    )


def plan_to_keep(_page: Any, _request: HttpRequest, rows: QuerySet[Pinned]) -> Plan:
    """The other way out."""
    waiting = list(rows.strangers().order_by("name"))  # type: ignore[attr-defined]
    if not waiting:
        return Plan("Keep the pinned host key?", refusal="None of them has shown another key than the pinned one.")
    lines = [line for row in waiting for line in both_keys(row)]
    return Plan("Keep the pinned host key, and log in again where it is shown?", lines, button="Keep the pinned key")


def host_key_actions(permission: str) -> type:
    """A mixin for a page of something that is pinned; judging a key needs its own permission."""

    class HostKeyActions:
        """Judging host keys."""

        @display(description="Pinned host key")
        def pinned_host_key(self, row: Pinned) -> str:
            """As other programs show it."""
            return row.host_key_fingerprint() or "None yet: the first connection pins the key it meets."

        @display(description="Another host key")
        def other_host_key(self, row: Pinned) -> str:
            """What waits to be judged."""
            if not row.presented_key:
                return "None was shown."
            return f"{row.presented_fingerprint()}, shown instead. Nothing logs in until it is accepted or refused."

        def makes_sense(self, request: HttpRequest, row: Pinned, action: str) -> bool:
            """A key is judged where another one was shown, and forgotten where one is pinned."""
            if action in ("accept_host_key", "keep_host_key"):
                return bool(row.presented_key)
            if action == "forget_host_key":
                return bool(row.host_key)
            return bool(super().makes_sense(request, row, action))  # type: ignore[misc]

        @confirmed_action(
            description="Accept new host key", permission=permission, plan=plan_to_accept, icon="key", danger=True
        )
        def accept_host_key(self, request: HttpRequest, rows: Any, answers: dict[str, Any]) -> str:  # noqa: ARG002
            """It was replaced, or got a new key."""
            waiting = list(rows.strangers().select_related("tenant").order_by("tenant_id", "pk"))
            for row in waiting:
                host_key_services.accept(row, by=by(request), presented=row.presented_key)
            return device_actions.told("given the new key", len(waiting))

        @confirmed_action(
            description="Keep pinned host key", permission=permission, plan=plan_to_keep, icon="shield_lock"
        )
        def keep_host_key(self, request: HttpRequest, rows: Any, answers: dict[str, Any]) -> str:  # noqa: ARG002
            """Whoever showed the other one was not it."""
            waiting = list(rows.strangers().select_related("tenant").order_by("tenant_id", "pk"))
            for row in waiting:
                host_key_services.keep(row, by=by(request))
            return device_actions.told("left with the pinned key", len(waiting))

        @confirmed_action(
            description="Forget pinned host key",
            permission=permission,
            plan=device_actions.plan_to_forget,
            icon="key_off",
            danger=True,
        )
        def forget_host_key(self, request: HttpRequest, rows: Any, answers: dict[str, Any]) -> str:  # noqa: ARG002
            """The next connection pins whatever key it meets."""
            number = host_key_services.forget(rows.select_related("tenant"), by=by(request))
            return device_actions.told("asked for a new key at the next connection", number)

    return HostKeyActions
