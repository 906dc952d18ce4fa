"""What logins and second factors leave in the audit log, in the chain of no tenant: a person may be in many."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_out

from inventory.audit import record


def connect() -> None:
    """Listen for what Django and allauth tell of; called once, before any request."""
    from allauth.mfa import signals  # not while apps are being loaded

    user_logged_out.connect(logged_out, dispatch_uid="netcairn.trail.out")
    told = {
        signals.authenticator_added: factor_added,
        signals.authenticator_removed: factor_removed,
        signals.authenticator_reset: factor_reset,
    }
    for signal, receiver in told.items():
        signal.connect(receiver, dispatch_uid=f"netcairn.trail.{receiver.__name__}")


def left(person: AbstractBaseUser, action: str, **detail: object) -> None:
    """One entry about a person."""
    name = person.get_username()
    record(None, by=name, action=action, about=name, detail=detail)


def logged_in(person: AbstractBaseUser, *, address: str, ways: list[str]) -> None:
    """Somebody is in, from where and by what: a password, a second factor, the provider."""
    left(person, "login.done", address=address, by=ways)


def logged_out(sender: Any, request: Any, user: AbstractBaseUser | None, **_: Any) -> None:  # noqa: ARG001
    """Somebody has left, or their session was over."""
    if user is not None:
        left(user, "login.ended", address=address_of(request))


def login_failed(account: str, *, address: str, what: str, locked: bool) -> None:
    """A wrong guess. `account` is a name that somebody has, or a digest: never what was typed."""
    record(None, by=account, action="login.failed", about=account, detail={"address": address, "wrong": what})
    if locked:
        record(None, by="system", action="login.locked", about=account, detail={"address": address})


def linked(person: AbstractBaseUser) -> None:
    """The provider's account belongs to this person from now on."""
    left(person, "login.linked")


def made(person: AbstractBaseUser) -> None:
    """Somebody new, whom the provider knows."""
    left(person, "user.made_by_provider")


def factor_added(sender: Any, user: AbstractBaseUser, authenticator: Any, **_: Any) -> None:  # noqa: ARG001
    """A new app, key or set of recovery codes."""
    seen(authenticator)
    left(user, "second_factor.added", kind=authenticator.type)


def factor_removed(sender: Any, user: AbstractBaseUser, authenticator: Any, **_: Any) -> None:  # noqa: ARG001
    """One less."""
    left(user, "second_factor.removed", kind=authenticator.type)


def factor_reset(sender: Any, user: AbstractBaseUser, authenticator: Any, **_: Any) -> None:  # noqa: ARG001
    """New recovery codes; the old ones are worth nothing."""
    seen(authenticator)
    left(user, "second_factor.renewed", kind=authenticator.type)


def seen(authenticator: Any) -> None:
    """allauth notes in the row when recovery codes are first looked at; done now, no look changes anything."""
    if authenticator.type == authenticator.Type.RECOVERY_CODES:
        authenticator.wrap().mark_as_viewed()


def address_of(request: Any) -> str:
    """Where the request came from, as far as it is known."""
    from inventory.login.adapters import AccountAdapter

    return AccountAdapter(request).get_client_ip(request) if getattr(request, "META", {}).get("REMOTE_ADDR") else ""
