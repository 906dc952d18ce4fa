"""The page of locked logins; and what of the login has no page, because its rows hold secrets or rights."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.decorators import display

from inventory.confirmation import confirmed_action
from inventory.lockouts import Lockout
from inventory.login import login_actions
from inventory.people_admin import WrittenAdmin

for model in (EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


@admin.register(Lockout)
class LockoutAdmin(WrittenAdmin):
    """Failed logins that are counted, and locks that can be lifted."""

    list_display = ("name", "kind", "failures", "last_at", "state")
    list_filter = ("kind",)
    search_fields = ("name",)
    ordering = ("-last_at",)
    actions = ("lift",)
    actions_detail = ("lift",)
    fields = ("kind", "name", "failures", "last_at", "until")
    readonly_fields = fields

    @display(description="State", label={"locked": "danger", "counted": "info"})
    def state(self, row: Lockout) -> str:
        """Whether anybody is refused."""
        return "locked" if row.until and row.until > timezone.now() else "counted"

    @confirmed_action(
        description="Lift the lock", permission="auth.change_user", plan=login_actions.plan_to_lift, icon="lock_open"
    )
    def lift(self, request: HttpRequest, rows: QuerySet[Lockout], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """Let them try again."""
        return login_actions.lift(request, rows)
