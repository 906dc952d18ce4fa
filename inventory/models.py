"""Tenants, their members, credentials and devices."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from inventory.pinned import Pinned, PinnedSet
from inventory.secrets import open_sealed, seal
from inventory.tenancy import TenantOwned, TenantQuerySet
from inventory.validators import validate_address, validate_line, validate_name, validate_tag


class TenantSet(models.QuerySet):
    """Several tenants."""

    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Tenants that the user is a member of; a superuser sees all, a stranger none."""
        if getattr(user, "is_superuser", False) and user.is_active:
            return self
        if not user.is_authenticated or not user.is_active:
            return self.none()
        return self.filter(memberships__user_id=user.pk)


class Tenant(models.Model):
    """A customer or organisation: owns devices, credentials, members and one repository."""

    class Secrets(models.TextChoices):
        """What becomes of the secrets inside configurations when these are stored."""

        KEEP = "keep", "Kept: versions can be put back"
        MASK = "mask", "Masked before storing: versions cannot be put back"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True, validators=[validate_name])
    max_sessions = models.PositiveSmallIntegerField(
        "sessions at a time", default=0, help_text="Devices that are logged in to at the same time; 0 sets no limit."
    )
    max_sessions_a_site = models.PositiveSmallIntegerField(
        "sessions at a time per site", default=0, help_text="The same for the devices of one site; 0 sets no limit."
    )
    objective_hours = models.PositiveSmallIntegerField(
        "objective in hours",
        default=26,
        validators=[MinValueValidator(1)],
        help_text="Every device is to have been collected within so many hours; 26 is a night and a little.",
    )
    # Both are set by services alone (backups/quota.py, inventory/services.py): each change is audited.
    quota_bytes = models.PositiveBigIntegerField("quota", default=0, db_default=0, editable=False)  # 0: no limit
    secrets_policy = models.CharField(
        "secrets in configurations",
        max_length=10,
        choices=Secrets.choices,
        default=Secrets.KEEP,
        db_default=Secrets.KEEP,
        editable=False,
    )
    # Set by an action alone, which itself needs one (inventory/login/second_factor.py).
    second_factor = models.BooleanField("second factor demanded", default=False, db_default=False, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ends_at = models.DateTimeField("deleted for good at", null=True, editable=False)  # inventory/deletion.py

    objects = TenantSet.as_manager()

    class Meta:
        ordering = ["name"]
        permissions = [
            ("set_quota", "Can set a tenant's quota"),
            ("end_tenant", "Can delete a tenant with all that it keeps"),
            ("set_secrets_policy", "Can set whether secrets are masked before storing"),
            ("set_second_factor", "Can set whether restorers need a second factor"),
        ]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="tenant_name_once",
                violation_error_message="There is a tenant of this name already; capitals do not tell names apart.",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Membership(TenantOwned):
    """A person's place in a tenant."""

    class Role(models.TextChoices):
        """What a member is there for."""

        AUDITOR = "auditor", "Auditor"
        OPERATOR = "operator", "Operator"
        RESTORER = "restorer", "Restorer"
        ADMINISTRATOR = "administrator", "Tenant administrator"

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices, default=Role.AUDITOR)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.tenant}"


class Credential(TenantOwned):
    """How to log in to devices. Secrets are sealed to this very row (`inventory/secrets.py`) and never shown again."""

    class Source(models.TextChoices):
        """Where its secrets are kept (inventory/sources.py)."""

        DATABASE = "database", "Here, sealed"
        VAULT = "vault", "HashiCorp Vault"
        ENVIRONMENT = "environment", "Variables of the server's environment"
        FILES = "files", "Files on the server"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="credentials")
    name = models.CharField(max_length=100, validators=[validate_name])
    username = models.CharField(max_length=100, validators=[validate_line])
    source = models.CharField(
        "secrets are kept",
        max_length=20,
        choices=Source.choices,
        default=Source.DATABASE,
        db_default=Source.DATABASE,
        help_text="Anywhere but here, nothing of a secret is stored: it is fetched when a device is asked.",
    )
    source_name = models.CharField(
        "name there",
        max_length=100,
        blank=True,
        default="",
        db_default="",
        validators=[validate_name],
        help_text="Below the tenant's own place; empty: the credential's name.",
    )
    password_sealed = models.BinaryField(default=bytes, blank=True, editable=False)
    private_key_sealed = models.BinaryField(default=bytes, blank=True, editable=False)
    passphrase_sealed = models.BinaryField(default=bytes, blank=True, editable=False)
    enable_sealed = models.BinaryField(default=bytes, blank=True, editable=False)
    fallback_order = models.PositiveSmallIntegerField(
        "tried after a device's own",
        null=True,
        blank=True,
        help_text="A number makes it a fallback: after the device's own credential, lower numbers first. "
        "Empty: only for the devices that name it.",
    )
    fallback_site = models.CharField(
        "fallback at site",
        max_length=100,
        blank=True,
        default="",
        db_default="",
        validators=[validate_line],
        help_text="As a fallback, only for devices of this site; empty: for all devices of the tenant.",
    )
    # An account that is refused again and again gets locked: counted over all devices (backups/logins.py).
    refused_in_a_row = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    paused_until = models.DateTimeField(null=True, blank=True, editable=False)
    accepted_at = models.DateTimeField(null=True, blank=True, editable=False)  # a device let it in; looked at for long
    tried_by = models.CharField(max_length=36, blank=True, default="", db_default="", editable=False)
    tried_until = models.DateTimeField(null=True, blank=True, editable=False)  # so long nobody else may find out
    changed_at = models.DateTimeField(auto_now=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="credential_name_once"),
            models.UniqueConstraint(fields=["tenant", "id"], name="credential_of_tenant"),
            models.CheckConstraint(
                condition=models.Q(source="database")
                | models.Q(password_sealed=b"", private_key_sealed=b"", passphrase_sealed=b"", enable_sealed=b""),
                name="credential_kept_once",
                violation_error_message="Secrets that are kept elsewhere are not stored here as well.",
            ),
        ]

    SECRETS = ("password", "private_key", "passphrase", "enable")  # each kept in the column <name>_sealed

    def __str__(self) -> str:
        return self.name

    def password(self) -> str:
        """The login password in clear, empty where there is none. Raises SecretUnreadable, as do the next three."""
        return open_sealed(self, "password")

    def private_key(self) -> str:
        """The private key's text in clear."""
        return open_sealed(self, "private_key")

    def passphrase(self) -> str:
        """The private key's passphrase in clear."""
        return open_sealed(self, "passphrase")

    def enable_secret(self) -> str:
        """The secret of the privileged mode in clear."""
        return open_sealed(self, "enable")

    def set_password(self, text: str) -> None:
        """Seal a password into this row, which has still to be saved; an empty text clears it. So the next three."""
        self.set_secret("password", text)

    def set_private_key(self, text: str) -> None:
        """Seal a private key, in PEM or OpenSSH form."""
        self.set_secret("private_key", text)

    def set_passphrase(self, text: str) -> None:
        """Seal the private key's passphrase."""
        self.set_secret("passphrase", text)

    def set_enable_secret(self, text: str) -> None:
        """Seal the secret of the privileged mode."""
        self.set_secret("enable", text)

    def set_secret(self, name: str, text: str) -> None:
        """Seal one of SECRETS. What was refused before says nothing about the new one."""
        setattr(self, f"{name}_sealed", seal(self, name, text))
        self.refused_in_a_row, self.paused_until, self.accepted_at, self.tried_by = 0, None, None, ""

    def named_there(self) -> str:
        """What it is called where its secrets are kept."""
        return self.source_name or self.name

    def has_secret(self, name: str) -> bool:
        """Whether one of SECRETS is set; nothing is opened."""
        return bool(getattr(self, f"{name}_sealed"))


class DeviceSet(PinnedSet):
    """Several devices."""

    def collectable(self) -> Self:
        """Devices that a run asks: enabled and not retired, of a tenant that is to stay."""
        return self.filter(enabled=True, retired_at=None, tenant__ends_at=None)

    def retire(self, *, now: datetime) -> int:
        """Take devices out of service for good; their history stays. Gives back how many were not retired before."""
        return self.filter(retired_at=None).update(retired_at=now)

    def bring_back(self) -> int:
        """Undo `retire`."""
        return self.exclude(retired_at=None).update(retired_at=None)


class Device(Pinned):
    """One box. Its id outlives renames, moves between sites and changes of address."""

    class Transport(models.TextChoices):
        """How it is talked to."""

        SSH = "ssh", "SSH"
        TELNET = "telnet", "Telnet (insecure)"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="devices")
    name = models.CharField(max_length=100, validators=[validate_name])
    address = models.CharField(max_length=253, validators=[validate_address])
    port = models.PositiveIntegerField(default=22, validators=[MinValueValidator(1), MaxValueValidator(65535)])
    platform = models.CharField(max_length=60)
    credential = models.ForeignKey(Credential, on_delete=models.PROTECT, related_name="devices", null=True, blank=True)
    # Of the fallbacks, the one that opened it last: tried first from then on.
    working_credential = models.ForeignKey(
        Credential, on_delete=models.SET_NULL, related_name="+", null=True, blank=True, editable=False
    )
    jump_host = models.ForeignKey(
        "inventory.JumpHost",
        on_delete=models.PROTECT,
        related_name="devices",
        null=True,
        blank=True,
        help_text="The host that it is reached through; its address is then one that this host knows.",
    )
    transport = models.CharField(
        max_length=10,
        choices=Transport.choices,
        default=Transport.SSH,
        db_default=Transport.SSH,
        help_text="Telnet sends passwords and configurations in clear for everybody on the way. Only where there is "
        "no SSH at all.",
    )
    site = models.CharField(max_length=100, blank=True, validators=[validate_line])
    tags = ArrayField(models.CharField(max_length=60, validators=[validate_tag]), default=list, blank=True)
    enabled = models.BooleanField(default=True, help_text="Collected by runs.")
    legacy_algorithms = models.BooleanField(
        default=False, help_text="Allow outdated SSH algorithms. Only for a device that offers nothing better."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    retired_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = DeviceSet.as_manager()

    class Meta:
        ordering = ["name"]
        permissions = [("accept_host_key", "Can accept a device's changed host key")]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="device_name_once"),
            models.UniqueConstraint(fields=["tenant", "id"], name="device_of_tenant"),
        ]

    def __str__(self) -> str:
        return self.name


# Django finds models through this module; those below stand on the ones above.
from inventory.audit import AuditEntry  # noqa: E402, F401
from inventory.jump_hosts import JumpHost  # noqa: E402, F401
from inventory.lockouts import Lockout  # noqa: E402, F401
from inventory.notices import Notice  # noqa: E402, F401
