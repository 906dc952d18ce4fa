"""Forms of the inventory's pages. A secret goes in and never comes out again, not even after a mistake elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.contrib.import_export.forms import ImportForm
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from inventory import sources
from inventory.device_csv import MAX_BYTES, REQUIRED
from inventory.errors import Invalid, SecretUnreadable, SourceRefused
from inventory.models import Credential, Device, Tenant
from inventory.platforms import registry
from inventory.secrets import open_sealed
from inventory.services import check_private_key
from inventory.validators import validate_tag

KEEP = "Set. Leave empty to keep it."
UNSET = "Not set."


class WriteOnlyTextarea(UnfoldAdminTextareaWidget):
    """A text area that never shows what was sent."""

    def format_value(self, value: object) -> str:  # noqa: ARG002
        """Nothing, whatever the value."""
        return ""


def password_field(label: str) -> forms.CharField:
    """A secret in one line; blanks at its ends belong to it."""
    widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}, render_value=False)
    return forms.CharField(label=label, required=False, strip=False, max_length=1000, widget=widget)


def clear_field(what: str) -> forms.BooleanField:
    """A box that removes a secret."""
    return forms.BooleanField(label=f"Remove the {what}", required=False, widget=UnfoldBooleanWidget())


class CredentialForm(forms.ModelForm):
    """Name and username, and secrets that can be set, replaced and removed, but not read."""

    password = password_field("Password")
    clear_password = clear_field("password")
    private_key = forms.CharField(
        label="Private key",
        required=False,
        strip=False,
        max_length=20_000,
        widget=WriteOnlyTextarea(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    clear_private_key = clear_field("private key")
    passphrase = password_field("Passphrase of the private key")
    clear_passphrase = clear_field("passphrase")
    enable = password_field("Enable secret")
    clear_enable = clear_field("enable secret")

    class Meta:
        model = Credential
        fields = ("tenant", "name", "username", "source", "source_name", "fallback_order", "fallback_site")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in Credential.SECRETS:
            if name not in self.fields:  # a page that may only be looked at has no inputs
                continue
            is_set = self.instance.has_secret(name)
            self.fields[name].help_text = KEEP if is_set else UNSET
            if not is_set:
                del self.fields[f"clear_{name}"]
        if "source" in self.fields:
            self.fields["source"].required = False
            self.fields["source"].widget = UnfoldAdminSelectWidget(choices=Credential.Source.choices)

    def clean_source(self) -> str:
        """Here, where nobody says otherwise."""
        return self.cleaned_data["source"] or Credential.Source.DATABASE

    def clean_private_key(self) -> str:
        """With the line ends and the final one that key files have: browsers send others."""
        lines = self.cleaned_data["private_key"].strip().splitlines()
        return "\n".join(line.strip() for line in lines) + "\n" if lines else ""

    def clean(self) -> dict[str, Any]:
        """Whether what would be kept can log in anywhere."""
        cleaned = super().clean() or self.cleaned_data
        for name in Credential.SECRETS:
            if cleaned.get(name) and cleaned.get(f"clear_{name}"):
                self.add_error(name, "Either enter a new one or remove the old one.")
        if not self.errors and self.kept_here():
            self.check_what_would_be_kept()
        elif not self.errors:
            self.check_place()
        return cleaned

    def kept_here(self) -> bool:
        """Whether secrets are sealed into the row."""
        return self.cleaned_data.get("source", Credential.Source.DATABASE) == Credential.Source.DATABASE

    def check_place(self) -> None:
        """Nothing is entered for what is kept elsewhere, and this server must know that place."""
        for name in Credential.SECRETS:
            if self.cleaned_data.get(name):
                self.add_error(name, "Secrets are kept elsewhere: leave this empty, and put it there.")
        tenant = self.cleaned_data.get("tenant") or getattr(self.instance, "tenant", None)
        names = {name: self.cleaned_data.get(name, "") for name in ("name", "source", "source_name")}
        try:
            sources.where(Credential(tenant=tenant, **names))
        except SourceRefused as error:
            self.add_error("source", str(error))

    def check_what_would_be_kept(self) -> None:
        """A password or a key there must be, and the key must open with its passphrase."""
        try:
            key, passphrase = self.would_keep("private_key"), self.would_keep("passphrase")
            if not key and not self.would_keep("password"):
                raise Invalid("Give a password or a private key; nothing can log in without either.")
            check_private_key(key, passphrase)
        except (Invalid, SecretUnreadable) as error:
            raise ValidationError(str(error)) from error

    def would_keep(self, name: str) -> str:
        """A secret as it would be after saving. Raises SecretUnreadable."""
        if self.cleaned_data.get(f"clear_{name}"):
            return ""
        return self.cleaned_data.get(name) or open_sealed(self.instance, name)

    def save(self, commit: bool = True) -> Any:
        """Seal what was entered into the row."""
        for name in Credential.SECRETS:
            if not self.kept_here():
                self.instance.set_secret(name, "")
            elif self.cleaned_data.get(name) or self.cleaned_data.get(f"clear_{name}"):
                self.instance.set_secret(name, self.cleaned_data.get(name, ""))
        return super().save(commit)


class TagsField(forms.CharField):
    """Tags in one line, separated by blanks, commas or semicolons."""

    widget = UnfoldAdminTextInputWidget

    def prepare_value(self, value: Any) -> Any:
        """One line."""
        return " ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Each tag once, in the order written."""
        text = value if isinstance(value, str) else " ".join(value or [])
        return list(dict.fromkeys(text.replace(",", " ").replace(";", " ").split()))

    def validate(self, value: Any) -> None:
        """Each by the model's rule."""
        super().validate(value)
        for tag in value:
            validate_tag(tag)

    def run_validators(self, value: Any) -> None:
        """Those for one string do not apply to a list."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compared as lists."""
        return list(initial or []) != self.to_python(data)


class DeviceForm(forms.ModelForm):
    """A device, with its platform chosen from the sheets of this installation."""

    platform = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    tags = TagsField(required=False, help_text="Separated by blanks.")

    class Meta:
        model = Device
        fields = (
            "tenant",
            "name",
            "address",
            "port",
            "platform",
            "credential",
            "jump_host",
            "site",
            "tags",
            "enabled",
            "transport",
            "legacy_algorithms",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "platform" in self.fields:
            self.fields["platform"].choices = platform_choices(self.instance.platform)  # type: ignore[attr-defined]
        if "transport" in self.fields:
            self.fields["transport"].required = False

    def clean_transport(self) -> str:
        """SSH, where nobody says otherwise."""
        return self.cleaned_data["transport"] or Device.Transport.SSH


def platform_choices(current: str) -> Iterable[tuple[str, str]]:
    """All sheets; a device whose sheet is gone keeps its platform until somebody chooses another."""
    choices = [("", "Select value"), *registry.choices()]
    if current and current not in dict(choices):
        choices.append((current, f"{current} (no sheet of that name)"))
    return choices


class DeviceImportForm(ImportForm):
    """A file, and the tenant that all its rows are for."""

    tenant = forms.ModelChoiceField(Tenant.objects.none(), widget=UnfoldAdminSelectWidget)
    field_order = ("resource", "tenant", "import_file", "format")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Say what nobody would guess: which columns there have to be, and that a platform need not be known."""
        super().__init__(*args, **kwargs)
        self.fields["import_file"].help_text = (
            f"Its first line names the columns: {', '.join(REQUIRED)}, and any of the others. A line is then "
            "core1,192.0.2.1,22,cisco_ios,admins. An export is such a file, too. Write detect in place of a platform: "
            "the device is logged in to and looked at; nothing is changed there. A preview follows."
        )

    def clean_import_file(self) -> Any:
        """Refuse by size before anything is read."""
        file = self.cleaned_data["import_file"]
        if file.size > MAX_BYTES:
            raise ValidationError(f"The file is larger than {MAX_BYTES // 1024 // 1024} MB; split it.")
        return file
