"""Forms of the login, where they differ from django-allauth's."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import LoginForm, ReauthenticateForm
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as AuthenticateAgainForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django.core.exceptions import ValidationError
from django.forms.utils import ErrorDict
from unfold.widgets import BASE_INPUT_CLASSES

from inventory.login.adapters import failed, locked_sentence


class Dressed:
    """Inputs in the look of the admin, with labels above them instead of inside."""

    fields: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if field.widget.input_type != "hidden":
                field.widget.attrs.pop("placeholder", None)
                field.widget.attrs["class"] = " ".join(BASE_INPUT_CLASSES)
                field.help_text = ""


class Login(Dressed, LoginForm):
    """Username and password, sent under the names that Django's own login page gives them."""

    def add_prefix(self, field_name: str) -> str:
        """allauth calls it `login`."""
        return super().add_prefix("username" if field_name == "login" else field_name)


class PasswordAgain(Dressed, ReauthenticateForm):
    """The password, before something that concerns the login itself."""


class Guarded(Dressed):
    """A code or a key that is guessed wrongly counts as a wrong password does, and a lock stops it as well."""

    user: Any
    guessed: str  # the field that is one

    def full_clean(self) -> None:
        """Not looked at at all while locked: a right guess would tell that it was one."""
        person = self.user.get_username()
        sentence = locked_sentence(person, get_adapter().get_client_ip(context.request)) if self.is_bound else ""  # type: ignore[attr-defined]
        if sentence:
            self._errors: Any = ErrorDict()
            self.cleaned_data: dict[str, Any] = {}
            self.add_error(None, ValidationError(sentence, code="locked"))  # type: ignore[attr-defined]
            return
        super().full_clean()  # type: ignore[misc]
        if self.guessed in self._errors:
            failed(context.request, person, what="second factor")


class Code(Guarded, AuthenticateForm):
    """A code of the app, or one for recovery, at login."""

    guessed = "code"


class CodeAgain(Guarded, AuthenticateAgainForm):
    """The same before something that concerns the login itself."""

    guessed = "code"


class Key(Guarded, AuthenticateWebAuthnForm):
    """A security key, at login."""

    guessed = "credential"


class KeyAgain(Guarded, ReauthenticateWebAuthnForm):
    """The same before something that concerns the login itself."""

    guessed = "credential"


class NewApp(Dressed, ActivateTOTPForm):
    """The first code of a new app."""


class NewKey(Dressed, AddWebAuthnForm):
    """A new security key."""


class RenamedKey(Dressed, EditWebAuthnForm):
    """A security key's name."""
