"""What a member may do in a tenant.

Two sources add up, and neither reaches beyond the tenants that the user is a member of. Django's own permissions (of
the user or a group) hold in each of those tenants; a membership's role holds in its tenant alone. A superuser may do
everything everywhere; a user without a membership may do nothing, whatever permissions were given. A tenant that
demands a second factor withholds some rights from whoever has none (`inventory/login/second_factor.py`).
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User

from inventory.login.second_factor import withheld
from inventory.models import Membership, Tenant, TenantSet

if TYPE_CHECKING:
    from django.db.models import Model

APPS = ("inventory", "backups", "checkpoints")
# Names of secrets inside configurations are no part of looking on.
SECRETS = "view_secrets"
AUDITOR = ("view_*",)
OPERATOR = (
    *AUDITOR,
    "back_up",
    "*_device",
    "*_schedule",
    "add_checkpoint",
    "change_checkpoint",
    "*_ref",
    "settle_notice",
)
# Saying that a stranger is the device, or that half a text is whole, can undo what everything else protects.
JUDGING = ("accept_host_key", "accept_jump_host_key", "judge_quarantinedfile", "read_transcript")
RESTORER = (*OPERATOR, *JUDGING, SECRETS, "*restore*", "export_checkpoint")
ADMINISTRATOR = ("*",)
# A tenant is made and ended, and its share of the disk given, by those who run the program.
NEVER = ("add_tenant", "delete_tenant", "end_tenant", "set_quota")

GRANTS: dict[str, tuple[str, ...]] = {
    Membership.Role.AUDITOR: AUDITOR,
    Membership.Role.OPERATOR: OPERATOR,
    Membership.Role.RESTORER: RESTORER,
    Membership.Role.ADMINISTRATOR: ADMINISTRATOR,
}

AnyUser = AbstractBaseUser | AnonymousUser
DJANGOS = "django.contrib.auth.backends.ModelBackend"  # who knows of permissions of users and groups


def role_grants(role: str, permission: str) -> bool:
    """Whether a role includes a permission, written `app.codename` as everywhere in Django."""
    app, _, codename = permission.partition(".")
    patterns = GRANTS.get(role, ())
    if app not in APPS or codename in NEVER:
        return False
    if codename == SECRETS and SECRETS not in patterns and role != Membership.Role.ADMINISTRATOR:
        return False
    return any(fnmatchcase(codename, pattern) for pattern in patterns)


def tenants_with(user: AnyUser, permission: str) -> TenantSet:
    """Tenants in which the user holds the permission."""
    visible = Tenant.objects.visible_to(user)
    if waiting := withheld(user, permission):
        visible = visible.exclude(pk__in=waiting)
    if is_superuser(user) or holds_everywhere(user, permission):
        return visible
    return visible.filter(pk__in=[tenant for tenant, role in roles_of(user) if role_grants(role, permission)])


def may(user: AnyUser, permission: str, tenant_id: UUID | None = None) -> bool:
    """Whether the user holds the permission: in that tenant, or without one, in any."""
    return holds(user, permission, tenant_id) and tenant_id not in withheld(user, permission)


def waits(user: AnyUser, permission: str, tenant_id: UUID | None) -> bool:
    """Whether nothing but a second factor is missing."""
    return holds(user, permission, tenant_id) and not may(user, permission, tenant_id)


def holds(user: AnyUser, permission: str, tenant_id: UUID | None = None) -> bool:
    """The same, were no second factor demanded: for saying what is missing, not for letting anybody do anything."""
    if not user.is_active:
        return False
    if is_superuser(user):
        return True
    everywhere = holds_everywhere(user, permission)
    return any(
        (tenant_id is None or tenant == tenant_id) and (everywhere or role_grants(role, permission))
        for tenant, role in roles_of(user)
    )


def people_with(permission: str, tenant_id: UUID) -> list[str]:
    """The names of the tenant's people who hold the permission there, in order. Platform administrators, who hold all
    of them everywhere, are not named."""
    members = Membership.objects.filter(tenant=tenant_id, user__is_active=True)
    names = {name for name, role in members.values_list("user__username", "role") if role_grants(role, permission)}
    granted = User.objects.with_perm(permission, include_superusers=False, backend=DJANGOS)
    return sorted(names | set(granted.filter(memberships__tenant=tenant_id).values_list("username", flat=True)))


def is_superuser(user: AnyUser) -> bool:
    """Whether no rule of tenants applies."""
    return bool(user.is_active and getattr(user, "is_superuser", False))


def holds_everywhere(user: AnyUser, permission: str) -> bool:
    """Whether Django's own permissions of the user or a group include it."""
    return isinstance(user, User) and ModelBackend().has_perm(user, permission)


def roles_of(user: AnyUser) -> list[tuple[UUID, str]]:
    """The user's tenants and roles, asked for once in the life of the user object (one request)."""
    if not user.is_authenticated or not user.is_active:
        return []
    kept: list[tuple[UUID, str]] | None = getattr(user, "_netcairn_roles", None)
    if kept is None:
        kept = list(Membership.objects.filter(user_id=user.pk).values_list("tenant_id", "role"))
        setattr(user, "_netcairn_roles", kept)  # noqa: B010  (beside Django's own _perm_cache)
    return kept


def tenant_id_of(row: Model) -> UUID | None:
    """The tenant that a row belongs to; a tenant belongs to itself; None for what belongs to no tenant."""
    return row.pk if isinstance(row, Tenant) else getattr(row, "tenant_id", None)


class RoleBackend(BaseBackend):
    """Lets `user.has_perm` know of roles: without a row, in any tenant; with a row, in its tenant."""

    def has_perm(self, user_obj: AnyUser, perm: str, obj: Model | None = None) -> bool:
        """Whether a membership's role gives the permission."""
        tenant_id = tenant_id_of(obj) if obj is not None else None
        if obj is not None and tenant_id is None:
            return False
        waiting = withheld(user_obj, perm)
        return any(
            (tenant_id is None or tenant == tenant_id) and tenant not in waiting and role_grants(role, perm)
            for tenant, role in roles_of(user_obj)
        )

    def has_module_perms(self, user_obj: AnyUser, app_label: str) -> bool:
        """Whether the user may see anything of an app: every role may look."""
        return app_label in APPS and bool(roles_of(user_obj))
