"""What a browser is told about our pages: where scripts, styles and everything else may come from, which is here."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

# As strict as the theme allows: its Alpine builds functions from texts (`unsafe-eval`), and it sets styles inside tags
# (`unsafe-inline`, for styles alone). No script stands inside a page, and no other host is ever asked. Pictures may be
# data: the code that an authenticator app reads is one, made for one person and kept nowhere.
# A form of ours leads to the provider of single sign-on where there is one, and browsers count that as its target.
FORMS = "'self' https:" if settings.SOCIALACCOUNT_PROVIDERS else "'self'"
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        f"form-action {FORMS}",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class ContentPolicy:
    """Adds the headers that Django's SecurityMiddleware has not."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """To every answer; one that has a policy of its own keeps it."""
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return response
