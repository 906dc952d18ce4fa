"""From an empty installation to the first version in one flow: tenant, credential, device, connection, first backup.

Nothing waits half made: the tenant and the credential are kept as soon as they are right, the device once it has
answered and was recognised. So a refused login or a mistyped address is mended on the same page, as often as it takes.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from inventory import services, trails
from inventory.errors import NetcairnError
from inventory.models import Credential, Device, Tenant
from inventory.platforms import registry
from inventory.roles import is_superuser, may, tenants_with

ADD, ADD_CREDENTIAL = "inventory.add_device", "inventory.add_credential"
FOUND_OUT = "-"  # stands in for the platform until the device has said what it is
SECONDS = 20.0  # for the device to be reached and to say what it is, while somebody waits for the page


class Choice(UnfoldAdminSelectWidget):
    """A select without the theme's search: its list is short, or not chosen from."""


class BeginForm(forms.Form):
    """One device, and what it takes to log in to it. What was chosen goes before what was typed beside it."""

    tenant = forms.ModelChoiceField(Tenant.objects.none(), required=False, empty_label="A new one", widget=Choice)
    tenant_name = forms.CharField(label="Name of the new tenant", required=False, widget=UnfoldAdminTextInputWidget)
    credential = forms.ModelChoiceField(
        Credential.objects.none(), required=False, empty_label="A new one", widget=Choice
    )
    username = forms.CharField(required=False, widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}))
    password = forms.CharField(
        required=False, strip=False, widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})
    )
    private_key = forms.CharField(
        label="or a private key", required=False, strip=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )
    name = forms.CharField(label="Name of the device", widget=UnfoldAdminTextInputWidget)
    address = forms.CharField(widget=UnfoldAdminTextInputWidget, help_text="IPv4, IPv6 or a host name.")
    port = forms.IntegerField(initial=22, widget=UnfoldAdminIntegerFieldWidget)
    platform = forms.ChoiceField(
        required=False,
        widget=Choice,
        help_text="It is logged in to once and asked for its version; nothing is changed.",
    )

    def __init__(self, data: Any, *, user: Any, initial: dict[str, Any] | None = None) -> None:
        """Offers what the user may use."""
        super().__init__(data, initial=initial)
        self.user = user
        tenants = tenants_with(user, ADD).order_by("name")
        fields: dict[str, Any] = self.fields
        fields["tenant"].queryset = tenants
        fields["credential"].queryset = Credential.objects.visible_to(user).filter(tenant__in=tenants)
        fields["credential"].label_from_instance = lambda row: f"{row} ({row.tenant})"
        fields["platform"].choices = [("", "Find it out"), *registry.choices()]
        if not is_superuser(user):
            fields["tenant"].empty_label, fields["tenant"].required = None, True
            del fields["tenant_name"]

    def clean(self) -> dict[str, Any]:
        """Either chosen or typed, and a credential of the same tenant."""
        data: dict[str, Any] = super().clean() or {}
        if not data.get("tenant") and "tenant" not in self.errors and not data.get("tenant_name"):
            self.add_error("tenant_name" if "tenant_name" in self.fields else "tenant", "Choose a tenant or name one.")
        credential = data.get("credential")
        if credential and credential.tenant != data.get("tenant"):
            self.add_error("credential", "This credential belongs to another tenant.")
        if not credential and not data.get("username"):
            self.add_error("username", "Choose a credential or say as whom to log in.")
        return data


class Begins:
    """The flow beside the list of devices. Mixed in before the page of devices."""

    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        """Before those that take anything for the id of a device."""
        view = self.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(self.begin))
        return [path("begin/", view, name=self.page_name("begin")), *super().get_urls()]  # type: ignore[attr-defined,misc]

    def begin(self, request: HttpRequest) -> HttpResponse:
        """The form; sent, it tests the connection and leads to the device."""
        return sensitive_post_parameters()(self._begin)(request)

    def _begin(self, request: HttpRequest) -> HttpResponse:
        if not may(request.user, ADD):
            raise PermissionDenied
        form = BeginForm(request.POST if request.method == "POST" else None, user=request.user)
        told = ""
        if form.is_valid():
            try:
                device, told = self.connected(request, form)
            except (NetcairnError, ValidationError) as error:
                device, told = None, " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
            if device:
                self.message_user(request, told, messages.SUCCESS)  # type: ignore[attr-defined]
                return HttpResponseRedirect(self.page_url("overview", device.pk))  # type: ignore[attr-defined]
            form = self.again(request, form)
        return self.show(  # type: ignore[attr-defined]
            request, "netcairn/begin.html", form=form, told=told, title="First device", import_url=self.import_url()
        )

    def import_url(self) -> str:
        """For who has more than one."""
        return self.page_url("import")  # type: ignore[attr-defined]

    def connected(self, request: HttpRequest, form: BeginForm) -> tuple[Device | None, str]:
        """The device, once it has answered as what it is said to be; else None and the reason. Raises NetcairnError."""
        from backups.recognition import look, sentence, target_of  # brings netmiko: no page should pay at start

        data = form.cleaned_data
        tenant, credential = kept(request, data)
        form.cleaned_data |= {"tenant": tenant, "credential": credential}
        device = Device(tenant=tenant, credential=credential, name=data["name"], address=data["address"])
        device.port, device.platform = data["port"], data["platform"] or FOUND_OUT
        device.full_clean()
        detected = look(target_of(device), deadline=SECONDS)
        told, sure = sentence(device.name, detected), detected.sure.slug if detected.sure else ""
        if data["platform"] not in ("", sure) and sure:
            return None, f"{told} Choose that platform, or “Find it out”."
        if not (data["platform"] or sure):
            return None, told
        device.platform = data["platform"] or sure
        with transaction.atomic():
            device.save()
            trails.left(request, "added", [device])
        return device, f"{told} It is registered: press “Back up now” for its first version."

    def again(self, request: HttpRequest, form: BeginForm) -> BeginForm:
        """The same answers once more, with what is kept already chosen, and without what was typed in secret."""
        data = form.cleaned_data
        told = {name: data.get(name) for name in ("name", "address", "port", "platform", "username", "tenant_name")}
        told |= {name: data[name].pk for name in ("tenant", "credential") if data.get(name)}
        return BeginForm(None, user=request.user, initial=told)


def kept(request: HttpRequest, data: dict[str, Any]) -> tuple[Tenant, Credential]:
    """The tenant and the credential, made where they were typed. Raises NetcairnError, PermissionDenied."""
    with transaction.atomic():
        tenant = data["tenant"]
        if tenant is None:
            tenant = services.add_tenant(data["tenant_name"])
            trails.left(request, "added", [tenant])
        credential = data["credential"]
        if credential is None:
            if not may(request.user, ADD_CREDENTIAL, tenant.pk):
                raise PermissionDenied
            secrets = {name: data[name] for name in ("password", "private_key") if data[name]}
            credential = services.add_credential(tenant, data["username"], data["username"], secrets)
            trails.left(request, "added", [credential])
    return tenant, credential
