"""What an administrator does about the logins of others: lift locks, take a lost second factor away, demand one."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from inventory import trails
from inventory.audit import record
from inventory.confirmation import Plan, confirmed_action
from inventory.login import services
from inventory.login.second_factor import factor_of
from inventory.models import Tenant

SET = "inventory.set_second_factor"


def plan_to_lift(_page: Any, _request: HttpRequest, rows: QuerySet) -> Plan:
    """Who may try again."""
    effects = [f"{row}: {row.failures} failed logins are forgotten." for row in rows[:50]]
    return Plan("Let them try again now?", effects, button="Lift")


def lift(request: HttpRequest, rows: QuerySet) -> str:
    """Forget the counts."""
    with transaction.atomic():
        for row in rows:
            record(None, by=trails.name_of(request), action="login.lock_lifted", about=str(row))
        number = rows.delete()[0]
    return "The lock is lifted." if number == 1 else f"{number} locks are lifted."


def plan_to_take_factor(_page: Any, _request: HttpRequest, rows: QuerySet) -> Plan:
    """What the person can do afterwards."""
    person = rows.get()
    question = f"Take the second factor of {person} away?"
    if not factor_of(person).is_there:
        return Plan(question, refusal="They have none.")
    effects = [
        "Apps, security keys and recovery codes of theirs are worth nothing any more.",
        "They log in with their password alone, until they set up a new one.",
        "Make sure by another way than a mail that it is they who ask.",
    ]
    return Plan(question, effects, button="Take it away", typed=person.get_username())


def take_factor(request: HttpRequest, person: Any) -> str:
    """Every authenticator of the person."""
    services.take_factor(person, by=trails.name_of(request))
    return f"{person} has no second factor any more."


def plan_to_demand(_page: Any, request: HttpRequest, rows: QuerySet[Tenant]) -> Plan:
    """The other way round, and whom it concerns."""
    tenant = rows.get()
    if tenant.second_factor:
        effects = ["Restorers push and approve with their password alone from now on."]
        return Plan(f"No longer demand a second factor in {tenant}?", effects, button="No longer demand it")
    question = f"Demand a second factor of everybody who restores in {tenant}?"
    if not factor_of(request.user).is_there:
        return Plan(question, refusal="Set up a second factor for yourself first, or you would be the first shut out.")
    effects = [
        "Who has none can neither approve restores nor push them to devices, platform administrators included.",
        "They are led to set one up when they log in, and when they try.",
        "Everything else stays as it is, backups above all.",
    ]
    return Plan(question, effects, button="Demand it")


class DemandsSecondFactor:
    """The button of a tenant's page."""

    @confirmed_action(
        description="Demand a second factor, or no longer", permission=SET, plan=plan_to_demand, icon="shield_lock"
    )
    def change_second_factor(self, request: HttpRequest, rows: QuerySet[Tenant], answers: dict[str, Any]) -> str:  # noqa: ARG002
        """The other way round."""
        tenant = rows.get()
        services.set_demand(tenant, not tenant.second_factor, by=trails.name_of(request))
        return f"A second factor is {'demanded' if tenant.second_factor else 'no longer demanded'} in {tenant}."
