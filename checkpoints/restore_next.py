"""What has to happen next so that a restore goes on, and who may do it: the same for one device and for several."""

from __future__ import annotations

from uuid import UUID

from checkpoints.models import Restore, RestoreGroup
from checkpoints.restore_rules import needs_four_eyes
from inventory.roles import AnyUser, holds, people_with

APPROVE, PUSH = "checkpoints.approve_restore", "checkpoints.push_restore"
NAMED = 5  # people; whoever is none of them asks one of them
NOTHING_SENT = "Nothing was sent to a device yet."
OTHERS = "You asked for it, and this tenant wants four eyes: somebody else has to approve it."
State = Restore.State


def is_own(restore: Restore | RestoreGroup, who: str) -> bool:
    """Whether they asked for it themselves, and four eyes are wanted."""
    return restore.requested_by == who and needs_four_eyes(restore.tenant)


def stuck(restore: Restore | RestoreGroup) -> list[str]:
    """Why nothing of it can be approved; of several devices, those that stand in the way."""
    if isinstance(restore, Restore):
        return list(restore.plan.get("obstacles", []))
    ready = [one for one in restore.in_order() if one.state in (State.PLANNED, State.APPROVED)]
    told = [f"{one.device.name}: {' '.join(stuck(one))}" for one in ready if stuck(one)]
    return [*told, "Call these devices off, each on its page."] if told else []


def may_be_approved(restore: Restore | RestoreGroup, who: str) -> bool:
    """Whether the plan, or all of them, can be approved as it stands, and by them."""
    return restore.state == State.PLANNED and not stuck(restore) and not is_own(restore, who)


def own_refusal(restore: Restore | RestoreGroup) -> str:
    """Why whoever asked for it cannot approve it, and who can."""
    return f"{OTHERS} {who_may(APPROVE, restore.tenant_id, but=restore.requested_by)}"


def next_step(restore: Restore | RestoreGroup, user: AnyUser) -> str:
    """What has to be done so that it goes on, and by whom where not by this user; empty where nobody is waited for."""
    tenant = restore.tenant_id
    if restore.state == State.APPROVED and not restore.pushed_by:
        mine = "The next step is to change it." if holds(user, PUSH, tenant) else who_may(PUSH, tenant)
        return f"Approved. {NOTHING_SENT} {mine}"
    if restore.state != State.PLANNED:
        return ""
    if stuck(restore):
        return "" if isinstance(restore, Restore) else " ".join(stuck(restore))  # one device's page says so below
    if not holds(user, APPROVE, tenant):
        asked = restore.requested_by if needs_four_eyes(restore.tenant) else ""
        return f"{NOTHING_SENT} The plan waits to be approved. {who_may(APPROVE, tenant, but=asked)}"
    if is_own(restore, user.get_username()):
        return f"{NOTHING_SENT} {own_refusal(restore)}"
    return f"{NOTHING_SENT} The next step is to approve exactly what is planned here."


def who_may(permission: str, tenant_id: UUID, *, but: str = "") -> str:
    """Whom to ask, by name; one of them may be left out."""
    names = [name for name in people_with(permission, tenant_id) if name != but]
    if not names:
        return "Nobody else of this tenant may do that: its administrator can make somebody a restorer."
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more} may do that."
