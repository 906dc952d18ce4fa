"""The addresses of the login: of all that django-allauth has, only what is used here, in the frame of the admin.

There is no page for registering, and none that sends mail. `admin/login/` keeps its address and its name.
"""

from __future__ import annotations

from typing import Any

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect import views as openid
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from requests import RequestException

from inventory.login.adapters import NOT_COME_ABOUT
from inventory.login.second_factor import SecondFactorMissing

WITHHELD = "This tenant wants a second factor of everybody who restores. Set one up, and try again."


def login(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
    """The login page; who is in already is sent on, unless the account may not use the admin (it would never end)."""
    if request.method in ("GET", "HEAD") and admin.site.has_permission(request):
        next_page = request.GET.get("next", "")
        ours = url_has_allowed_host_and_scheme(next_page, allowed_hosts={request.get_host()})
        return HttpResponseRedirect(next_page if ours else reverse("admin:index"))
    return account.login(request, **kwargs)


def at_provider(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """The way to the provider; one that does not answer is no reason for a page of errors."""
    try:
        answer: HttpResponseBase = openid.login(request, provider_id)
    except (RequestException, OAuth2Error, KeyError, ValueError):  # down, not what it should be, or not even JSON
        messages.error(request, NOT_COME_ABOUT)
        return HttpResponseRedirect(reverse("account_login"))
    return answer


def frame(request: HttpRequest) -> dict[str, Any]:
    """A context processor: what the admin's frame needs, on pages of the login only; asked for once a request."""
    match = request.resolver_match
    if match is None or match.app_names or match.url_name not in NAMES:
        return {}
    kept: dict[str, Any] | None = getattr(request, "_netcairn_frame", None)
    if kept is None:
        kept = admin.site.each_context(request)
        request._netcairn_frame = kept  # type: ignore[attr-defined]
    return kept


class LedToSecondFactor:
    """Middleware: who only lacks a second factor is led to the page where one is set up."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Nothing before, nothing after."""
        answer: HttpResponseBase = self.get_response(request)
        return answer

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Instead of the page that says no."""
        if not isinstance(exception, SecondFactorMissing):
            return None
        messages.warning(request, WITHHELD)
        return HttpResponseRedirect(reverse("mfa_index"))


urlpatterns = [
    path("admin/login/", login, name="account_login"),
    path("admin/logout/", admin.site.logout, name="account_logout"),
    path("admin/login/code/", mfa.authenticate, name="mfa_authenticate"),
    path("admin/login/again/", account.reauthenticate, name="account_reauthenticate"),
    path("admin/login/again/code/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("admin/login/again/key/", webauthn.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("admin/login/at/<slug:provider_id>/", at_provider, name="openid_connect_login"),
    path("admin/login/at/<slug:provider_id>/back/", openid.callback, name="openid_connect_callback"),
    path("admin/second-factor/", mfa.index, name="mfa_index"),
    path("admin/second-factor/app/", totp.activate_totp, name="mfa_activate_totp"),
    path("admin/second-factor/app/remove/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("admin/second-factor/codes/", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("admin/second-factor/codes/new/", recovery_codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("admin/second-factor/codes/file/", recovery_codes.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("admin/second-factor/keys/", webauthn.list_webauthn, name="mfa_list_webauthn"),
    path("admin/second-factor/keys/add/", webauthn.add_webauthn, name="mfa_add_webauthn"),
    path("admin/second-factor/keys/<int:pk>/edit/", webauthn.edit_webauthn, name="mfa_edit_webauthn"),
    path("admin/second-factor/keys/<int:pk>/remove/", webauthn.remove_webauthn, name="mfa_remove_webauthn"),
]
NAMES = {one.name for one in urlpatterns}
