"""What people are told, and what stays open until somebody has seen to it."""

from __future__ import annotations

import logging

import pytest
from django.db import transaction

from inventory import notices
from inventory.models import Tenant
from inventory.notices import ChannelFailed, Level, Notice, settle, tell
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db

HEARD: list[Notice] = []


def hear(notice: Notice) -> None:
    """A channel of this test."""
    HEARD.append(notice)


def fail(notice: Notice) -> None:
    """A channel whose other end is away."""
    raise ChannelFailed("the mail server does not answer")


@pytest.fixture
def tenant() -> Tenant:
    """Whose notices these are."""
    return make_tenant("acme")


@pytest.fixture(autouse=True)
def channels(settings) -> None:
    """A channel that fails, before one that listens."""
    HEARD.clear()
    settings.NETCAIRN_NOTICE_CHANNELS = [f"{__name__}.fail", f"{__name__}.hear"]


def full(tenant: Tenant | None, text: str = "80 % are used") -> Notice:
    """An alarm."""
    return tell(tenant, code="quota.nearly_full", about="acme", text=text, level=Level.ALARM)


def test_an_alarm_that_is_open_is_renewed_and_not_repeated(tenant: Tenant) -> None:
    """A check that runs each minute would bury the dashboard by noon."""
    full(tenant)
    full(tenant, "90 % are used")

    alarm = Notice.objects.get()
    assert (alarm.text, alarm.times) == ("90 % are used", 2)


def test_a_settled_alarm_comes_back_as_a_new_one(tenant: Tenant) -> None:
    """What was mended and breaks again is news."""
    full(tenant)
    settle(tenant, code="quota.nearly_full", about="acme", by="ada")
    full(tenant)

    assert Notice.objects.count() == 2
    assert Notice.objects.open_alarms().count() == 1


def test_settling_what_is_not_open_says_so(tenant: Tenant) -> None:
    """What finds itself mended calls this every time."""
    assert not settle(tenant, code="quota.nearly_full", about="acme")


def test_a_channel_that_fails_keeps_no_other_from_it(
    tenant: Tenant, django_capture_on_commit_callbacks, caplog: pytest.LogCaptureFixture
) -> None:
    """The mail server is down in the night when the alarm matters."""
    with caplog.at_level(logging.ERROR), django_capture_on_commit_callbacks(execute=True):
        full(tenant)

    assert [notice.code for notice in HEARD] == ["quota.nearly_full"]
    assert "does not answer" in caplog.text


def test_nothing_is_told_of_what_did_not_happen(tenant: Tenant, django_capture_on_commit_callbacks) -> None:
    """A transaction that is taken back must not have rung anybody."""
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(RuntimeError), transaction.atomic():
        full(tenant)
        raise RuntimeError

    assert HEARD == []


def test_the_log_is_a_channel(tenant: Tenant, caplog: pytest.LogCaptureFixture) -> None:
    """What nobody has set up must not swallow alarms."""
    with caplog.at_level(logging.INFO):
        notices.to_log(full(tenant))

    assert "quota.nearly_full: acme: 80 % are used" in caplog.text
