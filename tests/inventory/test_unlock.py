"""`unlock`"""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.utils import timezone

from inventory import lockouts
from inventory.audit import AuditEntry

pytestmark = pytest.mark.django_db


def test_the_only_administrator_gets_back_in_from_a_shell() -> None:
    """Nobody else is there who could press the button; one account is let in, and the others stay locked."""
    for name in ("root", "eve"):
        for _ in range(5):
            lockouts.count_failure(name, f"192.0.2.{len(name)}", now=timezone.now())
    key = lockouts.account_key("root")

    call_command("unlock", key)

    assert not lockouts.locked_until("root", "", now=timezone.now())
    assert lockouts.locked_until("eve", "", now=timezone.now())
    assert AuditEntry.objects.get().action == "login.lock_lifted"
