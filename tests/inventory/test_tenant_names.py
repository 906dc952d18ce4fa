"""Tenants whose names only capitals tell apart: refused, and told apart where there were some already."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from inventory.errors import AlreadyThere
from inventory.models import Tenant
from inventory.notices import Notice
from inventory.services import add_tenant
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db

tell_apart = import_module("inventory.migrations.0010_tenant_names").tell_apart


def test_capitals_do_not_tell_tenants_apart() -> None:
    """`lab` and `Lab` on one page: sooner or later somebody restores the wrong one."""
    make_tenant("lab")

    with pytest.raises(AlreadyThere, match="'lab' already, and capitals do not"):
        add_tenant("Lab")
    with pytest.raises(ValidationError, match="capitals do not tell names apart"):
        Tenant(name="LAB").full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        make_tenant("Lab")


def test_those_that_were_there_before_get_names_of_their_own() -> None:
    """An upgrade must neither stop nor lose anybody; the oldest keeps the name that scripts know."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX tenant_name_once")
    old = [make_tenant(name) for name in ("lab", "Lab", "LAB", "lab-2", "other")]

    tell_apart(apps, None)

    assert [Tenant.objects.get(pk=one.pk).name for one in old] == ["lab", "Lab-3", "LAB-4", "lab-2", "other"]
    assert set(Notice.objects.open_alarms().values_list("about", flat=True)) == {"Lab-3", "LAB-4"}
