"""Pages of users and groups, and what they leave in the audit log."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from inventory import audit, trails
from inventory.confirmation import confirmed_action
from inventory.login import login_actions
from inventory.models import Membership
from inventory.roles import is_superuser
from inventory.scoping import TenantTabularInline, Titled

admin.site.unregister([User, Group])

PLACES = 4  # of a person's tenants that a list names


class PeopleAdmin(Titled, ModelAdmin):
    """Users and groups hold rights in every tenant, so only superusers see them."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Superusers only, as the next four."""
        return is_superuser(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Superusers only."""
        return is_superuser(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Superusers only."""
        return is_superuser(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Superusers only."""
        return is_superuser(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Superusers only."""
        return is_superuser(request.user)


class WrittenAdmin(PeopleAdmin):
    """Rows that the program writes: superusers look at them, and what they may do about them are actions."""

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """They come by themselves."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Nobody writes over what happened."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """An action says in the audit log what it did."""
        return False


class UserMembershipInline(TenantTabularInline):
    """Which tenants a person belongs to."""

    model = Membership
    extra = 0
    fields = ("tenant", "role")


@admin.register(User)
class PersonAdmin(PeopleAdmin, UserAdmin):
    """People."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = (UserMembershipInline,)
    list_display = ("username", "shown_name", "places", "is_active", "last_login")
    list_filter = ("is_superuser", "is_active", "memberships__role", ("groups", RelatedDropdownFilter))
    actions_detail = ("take_second_factor",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """With the tenants of each."""
        return super().get_queryset(request).prefetch_related("memberships__tenant")

    @display(description="Name", ordering="last_name")
    def shown_name(self, user: User) -> str:
        """As people call them."""
        return user.get_full_name() or user.email

    @display(description="Tenants")
    def places(self, user: User) -> str:
        """Where they may do what."""
        found = sorted(user.memberships.all(), key=lambda one: one.tenant.name)
        told = [f"{one.tenant.name}: {one.get_role_display().lower()}" for one in found]
        more = f" and {len(told) - PLACES} more" if len(told) > PLACES else ""
        if user.is_superuser:
            return "all: platform administrator"
        return ", ".join(told[:PLACES]) + more or "none: sees nothing"

    @confirmed_action(
        description="Take the second factor away",
        permission="auth.change_user",
        plan=login_actions.plan_to_take_factor,
        icon="phonelink_erase",
        danger=True,
    )
    def take_second_factor(self, request: HttpRequest, rows: Any, answers: dict[str, Any]) -> str:  # noqa: ARG002
        """For somebody who has lost theirs."""
        return login_actions.take_factor(request, rows.get())

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Places in tenants, each in its tenant's chain; what holds everywhere, in that of no tenant."""
        super().save_related(request, form, formsets, change)
        trails.memberships_left(request, formsets)
        detail = trails.rights_of(User.objects.get(pk=form.instance.pk))
        audit.record(
            None, by=trails.name_of(request), action="user.saved", about=form.instance.get_username(), detail=detail
        )

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Who is gone."""
        trails.left(request, "deleted", queryset)
        return super().log_deletions(request, queryset)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        """That somebody else set it is the person's business."""
        answer = super().user_change_password(request, id, form_url)
        if request.method == "POST" and answer.status_code == 302:
            person = User.objects.get(pk=id).get_username()
            audit.record(None, by=trails.name_of(request), action="user.password_set", about=person)
        return answer

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """After the person exists: the first page asks for name and password only."""
        return super().get_inlines(request, obj) if obj else ()


@admin.register(Group)
class PersonGroupAdmin(PeopleAdmin, GroupAdmin):
    """Sets of permissions."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """What its members may do from now on."""
        super().save_related(request, form, formsets, change)
        held = sorted(form.instance.permissions.values_list("codename", flat=True))
        audit.record(
            None,
            by=trails.name_of(request),
            action="group.saved",
            about=form.instance.name,
            detail={"permissions": held},
        )

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Whose members lose what it gave."""
        trails.left(request, "deleted", queryset)
        return super().log_deletions(request, queryset)
