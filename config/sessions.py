"""How long somebody stays logged in: so long in all, and not so long without a request."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from time import time
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest, HttpResponse

BEGAN, SEEN = "netcairn_began", "netcairn_seen"
EVERY = 60  # seconds between two notes of when somebody was seen: not each request needs to write a row


def begin(sender: Any, request: HttpRequest, user: Any, **_: Any) -> None:  # noqa: ARG001  (Django's signature)
    """Somebody has logged in now."""
    request.session[BEGAN] = request.session[SEEN] = time()


def connect() -> None:
    """Listen for logins; called once, before any request."""
    user_logged_in.connect(begin, dispatch_uid="netcairn.sessions")


def is_over(session: MutableMapping[str, Any], now: float) -> bool:
    """Whether the session is too old, or was left alone too long; one that says nothing of itself is."""
    old = now - session.get(BEGAN, 0) > settings.SESSION_COOKIE_AGE
    return old or now - session.get(SEEN, 0) > settings.NETCAIRN_SESSION_IDLE


class SessionLimits:
    """Logs out who has stayed too long. Stands behind AuthenticationMiddleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Before anything is answered."""
        session: Any = request.session
        if SEEN in session or "_auth_user_id" in session:
            now = time()
            if is_over(session, now):
                logout(request)
            elif now - session[SEEN] > EVERY:
                session[SEEN] = now
        return self.get_response(request)
