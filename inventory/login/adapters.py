"""What of django-allauth is decided by us: who is let in, what a lock says, how secrets of second factors are kept."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from inventory import lockouts
from inventory.login import services, trail
from inventory.login.second_factor import factor_of
from inventory.models import Tenant

WRONG = "Wrong username or password. Mind capitals: both tell them apart."
NOT_COME_ABOUT = "The login at the provider did not come about; try again, or use your password."
NO_STAFF = "This account may not use Netcairn. Ask an administrator to make it one of the staff."


def locked_sentence(username: str, address: str) -> str:
    """Why nobody is let in, and what helps; empty where nothing is locked. The same for names that nobody has."""
    until = lockouts.locked_until(username, address, now=timezone.now())
    if until is None:
        return ""
    minutes = max(1, -(-int((until - timezone.now()).total_seconds()) // 60))
    wait = "a minute" if minutes == 1 else f"{minutes} minutes"
    return f"Too many failed logins. Try again in {wait}, or ask an administrator to lift the lock."


class AccountAdapter(DefaultAccountAdapter):
    """Passwords."""

    error_messages = {**DefaultAccountAdapter.error_messages, "username_password_mismatch": WRONG}

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Nobody registers themselves."""
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """In place of allauth's own counting, which each web process would do for itself. Also before a password is
        asked for again, so that a session that was left open cannot be used to guess it."""
        if sentence := locked_sentence(credentials.get("username", ""), self.get_client_ip(request)):
            raise ValidationError(sentence, code="locked")

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """A wrong password."""
        failed(request, credentials.get("username", ""), what="password")

    def pre_login(self, request: HttpRequest, user: Any, **hooks: Any) -> HttpResponse | None:
        """Whatever said who it is, a password or the provider."""
        if user.is_active and not user.is_staff:
            messages.error(request, NO_STAFF)
            return HttpResponseRedirect(reverse("account_login"))
        return super().pre_login(request, user, **hooks)

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:  # noqa: ARG002
        """Without telling that the password was right."""
        messages.error(request, WRONG)
        return HttpResponseRedirect(reverse("account_login"))

    def login(self, request: HttpRequest, user: Any) -> None:
        """Every way in comes by here once nothing is asked any more."""
        super().login(request, user)
        ways = [str(one["method"]) for one in get_authentication_records(request, user)]
        trail.logged_in(user, address=self.get_client_ip(request), ways=ways)

    def post_login(self, request: HttpRequest, user: Any, **hooks: Any) -> HttpResponse:
        """In for good: earlier slips count no more, and who needs a second factor is led to set one up."""
        lockouts.forget(user.get_username())
        response = super().post_login(request, user, **hooks)
        demanding = Tenant.objects.visible_to(user).filter(pk__in=factor_of(user).demanding).order_by("name")
        if not factor_of(user).is_there and (tenant := demanding.first()) is not None:
            messages.warning(request, f"{tenant} wants a second factor of everybody who restores. Set one up here.")
            return HttpResponseRedirect(reverse("mfa_index"))
        return response


def failed(request: HttpRequest, username: str, *, what: str) -> None:
    """Count it, and leave it in the audit log."""
    address = AccountAdapter(request).get_client_ip(request)
    locked = lockouts.count_failure(username, address, now=timezone.now())
    trail.login_failed(lockouts.account_key(username), address=address, what=what, locked=locked)


class SecondFactorAdapter(DefaultMFAAdapter):
    """Authenticator apps, security keys and recovery codes."""

    def encrypt(self, text: str) -> str:
        """Sealed with the key that seals credentials: a dump of the database has no second factor in it."""
        return services.seal_text(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Raises SecretUnreadable."""
        return services.open_text(encrypted_text)


class SingleSignOnAdapter(DefaultSocialAccountAdapter):
    """Who the provider says somebody is, and whom we know by that."""

    def get_requests_session(self) -> Any:
        """As everything that asks another server: limited in time, and led nowhere else."""
        session = super().get_requests_session()
        session.max_redirects = 0
        if settings.NETCAIRN_OIDC_CA_FILE:
            session.verify = settings.NETCAIRN_OIDC_CA_FILE
        return session

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """The first time: an existing person, by what NETCAIRN_OIDC_MATCH names, and by nothing weaker."""
        if sociallogin.is_existing:
            return
        person = matching(sociallogin)
        if person is not None:
            sociallogin.connect(request, person)
            trail.linked(person)
        elif User.objects.filter(email__iexact=sociallogin.user.email or "-").exists():
            # The one claim that somebody could make up; a second person of the same address helps nobody.
            raise self.refused(request, "The provider does not vouch for your address; ask an administrator.")
        elif not settings.NETCAIRN_OIDC_CREATE:
            raise self.refused(request, "Netcairn does not know you yet; ask an administrator for an account.")

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:  # noqa: ARG002
        """Whether a person whom the provider knows and we do not is given an account."""
        return bool(settings.NETCAIRN_OIDC_CREATE)

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> Any:
        """A new person: they may come in, and see nothing until somebody gives them a place in a tenant."""
        sociallogin.user.is_staff = True
        sociallogin.user.is_superuser = False
        person = super().save_user(request, sociallogin, form)
        trail.made(person)
        return person

    def on_authentication_error(self, request: HttpRequest, provider: Any, **told: Any) -> None:  # noqa: ARG002
        """Without the provider's words, which may hold a code or a token."""
        raise self.refused(request, NOT_COME_ABOUT)

    def refused(self, request: HttpRequest, sentence: str) -> ImmediateHttpResponse:
        """Back to the login page with the reason."""
        messages.error(request, sentence)
        return ImmediateHttpResponse(HttpResponseRedirect(reverse("account_login")))


def matching(sociallogin: Any) -> User | None:
    """The one active person whom the provider's claims name; None where there is none, or more than one."""
    if settings.NETCAIRN_OIDC_MATCH == "username":
        found = User.objects.filter(username=sociallogin.user.username or "")
    else:
        vouched = [one.email for one in sociallogin.email_addresses if one.verified is True and one.email]
        found = User.objects.filter(email__iexact=vouched[0]) if vouched else User.objects.none()
    people = list(found.filter(is_active=True)[:2])
    return people[0] if len(people) == 1 else None
