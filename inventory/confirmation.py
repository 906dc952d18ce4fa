"""Actions that say what they will do, and do it only after somebody has agreed to exactly that.

    @confirmed_action(description="Disable", permission="inventory.change_device", plan=plan_to_disable)
    def disable(self, request, rows, answers):
        return f"Disabled {rows.update(enabled=False)} devices."

The same method serves as a list's bulk action (`actions`), as a button of one row's page (`actions_detail`), in a
row's menu (`actions_row`) and above a list (`actions_list`, with no rows). A GET, or the first POST of a bulk action,
changes nothing and shows the plan. The form on that page carries the plan's fingerprint: when the world has moved on
in between, the new plan is shown instead of carrying out something that nobody has read.

`rows` holds only rows that the user may see and for whose tenant they hold the permission, whatever ids were sent.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.admin import helpers
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from inventory import audit, trails
from inventory.errors import Invalid, NetcairnError
from inventory.login.second_factor import SecondFactorMissing, withheld
from inventory.models import Tenant
from inventory.roles import is_superuser, may, tenant_id_of, tenants_with, waits
from inventory.visibility import has_tenant


@dataclass(frozen=True)
class Plan:
    """What an action is about to do. Only what is written here is agreed to, so it names every effect."""

    question: str  # "Disable 3 devices?"
    effects: Sequence[str] = ()  # one line each, in the order in which people read them
    warning: str = ""  # what cannot be undone
    button: str = "Go ahead"
    typed: str = ""  # what somebody has to type first, for steps that destroy or send
    refusal: str = ""  # why nothing can be done; there is no button then

    def fingerprint(self, action: str, pks: Sequence[object]) -> str:
        """Changes whenever the action, a row or a word of the plan does. A plan's text must not tell the time."""
        told = [action, sorted(map(str, pks)), self.question, list(self.effects), self.warning, self.refusal]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


class AnswerForm(forms.Form):
    """Questions on the confirmation page; a subclass adds fields, and may look at the rows in `__init__`."""

    prefix = "answer"

    def __init__(self, data: Mapping[str, Any] | None, *, request: HttpRequest, rows: QuerySet) -> None:
        """Unbound while the page is first shown."""
        super().__init__(data)
        self.request = request
        self.rows = rows

    def require(self, word: str) -> None:
        """Let the page go on only after the word was typed."""
        field = forms.CharField(label=f"Type {word} to confirm", widget=UnfoldAdminTextInputWidget, strip=True)
        field.validators.append(exactly(word))
        self.fields["typed"] = field


def exactly(word: str) -> Callable[[str], None]:
    """A validator that lets only this word pass."""

    def check(text: str) -> None:
        if text != word:
            raise ValidationError(f"Type {word} exactly as it is written here.")

    return check


@dataclass(frozen=True)
class ConfirmedAction:
    """What the decorator was told."""

    name: str
    description: str
    permission: str
    plan: Callable[[Any, HttpRequest, QuerySet], Plan]
    act: Callable[[Any, HttpRequest, QuerySet, dict[str, Any]], str | HttpResponseBase]
    form: type[AnswerForm]
    danger: bool
    template: str


def confirmed_action(
    *,
    description: str,
    permission: str,
    plan: Callable[[Any, HttpRequest, QuerySet], Plan],
    form: type[AnswerForm] = AnswerForm,
    icon: str | None = None,
    danger: bool = False,
    template: str = "admin/confirm_action.html",
) -> Callable[[Callable[..., str | HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Make a method of a TenantModelAdmin an action with a permission and a confirmation page.

    The method is called with (self, request, rows, answers) and gives back the sentence that tells of success, or a
    response. Our own errors and ValidationErrors become a message; nothing else is caught.
    """

    def wrap(act: Callable[..., str | HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        action = ConfirmedAction(act.__name__, description, permission, plan, act, form, danger, template)

        @wraps(act)
        def view(
            self: Any, request: HttpRequest, queryset: QuerySet | None = None, object_id: str | None = None
        ) -> HttpResponseBase:
            return Confirmation(self, request, action, queryset, object_id).respond()

        variant = ActionVariant.DANGER if danger else ActionVariant.DEFAULT
        told: dict[str, Any] = {"short_description": description, "permission": permission}
        for name, value in (told | {"icon": icon, "attrs": {}, "variant": variant}).items():
            setattr(view, name, value)
        return view

    return wrap


class Confirmation:
    """One request to carry an action out."""

    def __init__(
        self, page: Any, request: HttpRequest, action: ConfirmedAction, queryset: QuerySet | None, object_id: str | None
    ) -> None:
        """Settle which rows are meant."""
        if not may(request.user, action.permission):
            raise PermissionDenied
        self.page, self.request, self.action, self.object_id = page, request, action, object_id
        self.of_rows = queryset is not None or object_id is not None
        self.rows = self.chosen(queryset)

    def chosen(self, queryset: QuerySet | None) -> QuerySet:
        """The rows meant, of those that the user may do this with."""
        if self.object_id is None:
            return self.permitted(queryset) if queryset is not None else self.page.get_queryset(self.request).none()
        row = self.page.get_object(self.request, self.object_id)
        if row is None:
            raise Http404("There is no such row.")
        rows = self.permitted(self.page.get_queryset(self.request).filter(pk=row.pk))
        if not rows.exists():
            if waits(self.request.user, self.action.permission, tenant_id_of(row)):
                raise SecondFactorMissing
            raise PermissionDenied
        return rows

    def permitted(self, rows: QuerySet) -> QuerySet:
        """Of these rows, those of tenants in which the user holds the permission."""
        if is_superuser(self.request.user) and not withheld(self.request.user, self.action.permission):
            return rows
        tenants = tenants_with(self.request.user, self.action.permission)
        if rows.model is Tenant:
            return rows.filter(pk__in=tenants)
        return rows.filter(tenant__in=tenants) if has_tenant(rows.model) else rows.none()

    @cached_property
    def pks(self) -> list[Any]:
        """The rows' ids."""
        return list(self.rows.values_list("pk", flat=True))

    def respond(self) -> HttpResponseBase:
        """Show the plan, or carry it out where it was agreed to."""
        try:
            return self.page_or_deed()
        except (NetcairnError, ValidationError) as error:
            sentence = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
            self.page.message_user(self.request, sentence, messages.ERROR)
            return HttpResponseRedirect(self.back())

    def page_or_deed(self) -> HttpResponseBase:
        """The plan as of now decides; what was agreed to must be the same."""
        if self.of_rows and not self.pks:
            if withheld(self.request.user, self.action.permission):
                raise SecondFactorMissing
            raise Invalid("Nothing was chosen that you may do this with.")
        plan = self.action.plan(self.page, self.request, self.rows)
        agreed = self.request.method == "POST" and "confirmed" in self.request.POST
        form = self.action.form(self.request.POST if agreed else None, request=self.request, rows=self.rows)
        if plan.typed:
            form.require(plan.typed)
        fingerprint = plan.fingerprint(self.action.name, self.pks)
        moved = agreed and self.request.POST.get("fingerprint") != fingerprint
        if agreed and not moved and not plan.refusal and form.is_valid():
            return self.deed(form.cleaned_data)
        return self.show(plan, form, fingerprint, moved=moved)

    def deed(self, answers: dict[str, Any]) -> HttpResponseBase:
        """Do it, leave a line in each row's history and in the audit log, and tell."""
        # By the very ids that were shown: the list's filter may fit other rows by now.
        rows = self.rows.model._default_manager.filter(pk__in=self.pks)
        before, newest = list(rows), audit.newest()
        result = self.action.act(self.page, self.request, rows, answers)
        if before:
            author = cast(int, self.request.user.pk)
            LogEntry.objects.log_actions(author, before, CHANGE, change_message=f"{self.action.description}.")
            if not audit.recorded_since(newest, by=trails.name_of(self.request)):  # most services say it better
                trails.left(self.request, self.action.name, before)
        if isinstance(result, HttpResponseBase):  # a download may be sent while it is made
            return result
        self.page.message_user(self.request, result, messages.SUCCESS)
        return HttpResponseRedirect(self.back())

    def show(self, plan: Plan, form: AnswerForm, fingerprint: str, *, moved: bool) -> HttpResponse:
        """The page; showing it changes nothing."""
        context = {
            **self.page.admin_site.each_context(self.request),
            "title": self.action.description,
            "opts": self.page.opts,
            "media": self.page.media + form.media,
            "plan": plan,
            "form": form,
            "moved": moved,
            "danger": self.action.danger,
            "hidden": [*self.selection(), ("fingerprint", fingerprint), ("confirmed", "yes")],
            "back": self.back(),
        }
        return TemplateResponse(self.request, self.action.template, context)

    def selection(self) -> list[tuple[str, str]]:
        """What Django needs to find the same rows again; a selection of everything is not spelt out row by row."""
        if self.object_id is not None or "action" not in self.request.POST:
            return []
        across = self.request.POST.get("select_across") == "1"
        pks = self.pks[:1] if across else self.pks
        chosen = [(helpers.ACTION_CHECKBOX_NAME, str(pk)) for pk in pks]
        return [("action", self.action.name), ("select_across", "1" if across else "0"), *chosen]

    def back(self) -> str:
        """Where the user came from: the row's page where they may see it, else the list with its filters."""
        name = f"{self.page.admin_site.name}:{self.page.opts.app_label}_{self.page.opts.model_name}"
        if self.object_id is not None and self.page.get_object(self.request, self.object_id) is not None:
            return reverse(f"{name}_change", args=[quote(self.object_id)])
        if "action" in self.request.POST:
            return self.request.get_full_path()
        return reverse(f"{name}_changelist")
