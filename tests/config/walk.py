"""Every address that the site knows, asked for by every kind of person, with rows of a foreign tenant.

``python -m tests.config`` walks all of it and prints how many routes, roles and requests that were; the suite
walks a share of the routes with each role. Nothing of others may be told, and nothing at all may change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

FULL = "NETCAIRN_FULL_WALK"
METHODS = ("get", "head", "post")
# The trail of looks is there to grow; sessions live and die with the walk itself.
NOT_COUNTED = ("inventory_auditentry", "django_session")
ENDS_THE_SESSION = ("admin/logout/",)
AGREED = {"confirmed": "yes", "fingerprint": "guessed", "post": "yes"}

Rows = dict[type[models.Model], models.Model]


@dataclass
class Walk:
    """What a walk has come by, and what it has found."""

    routes: set[str] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)
    requests: int = 0
    leaks: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        told = f"{len(self.routes)} routes, {len(self.roles)} roles, {self.requests} requests, {len(self.leaks)} leaks"
        return "\n".join([told, *self.leaks])


def routes(entries: list[Any] | None = None, before: str = "") -> Iterator[str]:
    """The pattern of every address that the resolver knows."""
    for entry in get_resolver().url_patterns if entries is None else entries:
        path = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, path)
        elif isinstance(entry, URLPattern):
            yield path


def model_of(route: str) -> type[models.Model] | None:
    """Whose page it is."""
    parts = route.split("/")
    known = {(model._meta.app_label, model._meta.model_name): model for model in admin.site._registry}
    return known.get((parts[1], parts[2])) if len(parts) > 2 else None


def filled(route: str, theirs: Rows) -> list[str]:
    """The addresses of a route with the ids of foreign rows."""
    if "content_type_id" in route:
        kinds = ContentType.objects.get_for_models(*theirs)
        return [f"/admin/r/{kinds[model].pk}/{row.pk}/" for model, row in theirs.items()]
    if "(?P<app_label>" in route:
        return [f"/admin/{app}/" for app in ("inventory", "backups", "checkpoints", "auth")]
    if "(?P<url>" in route:
        return ["/admin/nothing-of-that-name/"]
    if route == "admin/autocomplete/":
        return list(autocompletes())
    model = Authenticator if "<int:pk>" in route else model_of(route)
    row = theirs.get(model) if model else None
    path = route.replace("<uuid:tenant_id>", str(getattr(row, "tenant_id", ""))).replace("<str:name>", "running.cfg")
    path = re.sub(r"<[^>]*>", str(row.pk) if row else "1", path)
    pair = f"?left={row.pk}&right={row.pk}" if row and "compare/" in path else ""
    own = [f"/{path}{pair}"]
    if row and route.endswith(f"/{row._meta.model_name}/"):  # a list that is asked for a foreign tenant's rows
        own.append(f"/{path}?tenant__id__exact={getattr(row, 'tenant_id', row.pk)}")
        own.append(f"/{path}?pk={row.pk}")
    return own


def autocompletes() -> Iterator[str]:
    """Every select that is filled by typing, of every model."""
    for model in admin.site._registry:
        for one in model._meta.get_fields():
            if isinstance(one, models.ForeignKey | models.ManyToManyField):
                asked = f"app_label={model._meta.app_label}&model_name={model._meta.model_name}&field_name={one.name}"
                yield f"/admin/autocomplete/?{asked}&term="


def forms_of(route: str, theirs: Rows) -> list[dict[str, Any]]:
    """What is sent to an address: nothing, an agreement that nobody gave, every action and every field of a form."""
    model = model_of(route)
    if model is None:
        return [{}]
    row, page = theirs.get(model), admin.site._registry[model]
    forms: list[dict[str, Any]] = [{}, AGREED]
    if row and route.endswith(f"/{model._meta.model_name}/"):
        chosen = {ACTION_CHECKBOX_NAME: str(row.pk), "select_across": "0", **AGREED}
        forms += [{"action": action, **chosen} for action in actions_of(page)]
    if route.endswith(("/add/", "/change/")):
        forms += [with_foreign(one, theirs) for one in fields_of(model)]
    return forms


def actions_of(page: Any) -> list[str]:
    """The bulk actions of a list, by the names that are sent."""
    own = [one if isinstance(one, str) else one.__name__ for one in page.actions or ()]
    return [*own, "delete_selected"]


def fields_of(model: type[models.Model]) -> list[Any]:
    """The fields of a model that name another row."""
    return [one for one in model._meta.get_fields() if isinstance(one, models.ForeignKey) and one.concrete]


def with_foreign(one: Any, theirs: Rows) -> dict[str, Any]:
    """A form that names a foreign row in this field."""
    foreign = theirs.get(one.related_model)
    return {"name": "walked", one.name: str(foreign.pk) if foreign else "", **AGREED}


def digest() -> dict[str, str]:
    """Number and hash of the rows of every table."""
    names = sorted(set(connection.introspection.table_names()) - set(NOT_COUNTED))
    quoted = connection.ops.quote_name
    one = "SELECT {!r}, count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {} t"
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(one.format(name, quoted(name)) for name in names))
        return dict(cursor.fetchall())


def body(response: Any) -> str:
    """All that the answer says: text, and where it leads."""
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return content.decode("latin-1") + str(response.headers)


def walk(walked: Walk, role: str, client: Client, *, theirs: Rows, marks: tuple[str, ...], share: list[str]) -> None:
    """These routes by this role, every method and form; what is found goes into the leaks."""
    before = digest()
    walked.roles.add(role)
    for route in share:
        if route in ENDS_THE_SESSION:
            continue
        walked.routes.add(route)
        for address in filled(route, theirs):
            for method in METHODS:
                for sent in forms_of(route, theirs) if method == "post" else [{}]:
                    ask(walked, role, client, method=method, address=address, sent=sent, marks=marks)
    after = digest()
    walked.leaks += [f"{role} changed {table}" for table in after if after[table] != before.get(table)]


def ask(
    walked: Walk,
    role: str,
    client: Client,
    *,
    method: str,
    address: str,
    sent: dict[str, Any],
    marks: tuple[str, ...],
) -> None:
    """One request."""
    walked.requests += 1
    response = getattr(client, method)(address, sent) if sent else getattr(client, method)(address)
    told = body(response)
    if response.status_code >= 500:
        walked.leaks.append(f"{role} {method} {address}: {response.status_code}")
    walked.leaks += [f"{role} {method} {address} tells {mark!r}" for mark in marks if mark in told]
