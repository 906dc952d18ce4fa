"""Whether a tenant's configurations are stored with the secrets inside them, and what is said about it everywhere.

Masking before storing is for tenants whose rules forbid a copy of a password. It has a price that nobody may overlook:
a masked configuration cannot be put back onto a device.
"""

from __future__ import annotations

from django.db import transaction

from inventory import audit
from inventory.models import Tenant

MASK, KEEP = Tenant.Secrets.MASK, Tenant.Secrets.KEEP

NO_RESTORE = (
    "Secrets are masked before configurations are stored, so versions that had any cannot be put back onto a device."
)
THE_PAST_STAYS = (
    "What is stored already stays as it is, in every version, checkpoint and copy: a policy does not rewrite the past."
)
NEXT_RUN = "The next run makes a new version of each device whose text differs by this."


def told(tenant: Tenant) -> str:
    """What somebody has to know who looks at this tenant's configurations; empty where there is nothing to say."""
    return NO_RESTORE if tenant.secrets_policy == MASK else ""


def consequences(policy: str) -> list[str]:
    """What follows from choosing this policy, a sentence each."""
    if policy == MASK:
        return [
            "From now on passwords, keys and communities are replaced by (masked) before a configuration is stored.",
            "Versions stored so cannot be put back onto a device, and a device cannot be restored while its newest "
            "version is one of them.",
            "Files that are no text cannot be masked, so they are no longer stored.",
            "Masking follows patterns; a secret in a form that nobody has foreseen is stored.",
            THE_PAST_STAYS,
            NEXT_RUN,
        ]
    return [
        "From now on configurations are stored as the devices say them, secrets included, and can be put back.",
        THE_PAST_STAYS,
        NEXT_RUN,
    ]


def set_secrets_policy(tenant: Tenant, policy: str, *, by: str) -> bool:
    """Choose what becomes of secrets from now on; False where it is so already."""
    with transaction.atomic():
        others = Tenant.objects.filter(pk=tenant.pk).exclude(secrets_policy=policy)
        changed = bool(others.update(secrets_policy=Tenant.Secrets(policy)))
        if changed:
            audit.record(tenant, by=by, action="secrets_policy.set", about=tenant.name, detail={"after": str(policy)})
    tenant.secrets_policy = policy
    return changed
