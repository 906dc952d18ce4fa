"""How long somebody stays logged in."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.hashers import get_hashers
from django.test import Client, override_settings

from config import sessions
from config.settings import PASSWORD_HASHERS
from tests.inventory.kit import logged_in, make_user

pytestmark = pytest.mark.django_db
MINUTE, HOUR = 60.0, 3600.0


class Clock:
    """Time that passes when it is told to."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """In place of the real one."""
    clock = Clock()
    monkeypatch.setattr(sessions, "time", clock)
    return clock


def is_in(client: Client) -> bool:
    """Whether the site still knows who it is."""
    return client.get("/admin/password_change/").status_code == 200


def test_a_desk_that_was_left_is_logged_out(clock: Clock) -> None:
    """Somebody else may sit down at it."""
    client = logged_in(make_user("ada", is_superuser=True))

    clock.now += 29 * MINUTE
    still = is_in(client)
    clock.now += 31 * MINUTE

    assert still and not is_in(client)


def test_a_working_day_is_the_most(clock: Clock) -> None:
    """A stolen cookie that is used all the time ends as well."""
    client = logged_in(make_user("ada", is_superuser=True))

    seen = []
    for _ in range(25):
        clock.now += 20 * MINUTE
        seen.append(is_in(client))

    assert seen == [True] * 24 + [False]


def test_a_request_a_second_later_writes_nothing(clock: Clock, django_assert_num_queries: Any) -> None:
    """Looking is for free."""
    client = logged_in(make_user("ada", is_superuser=True))
    clock.now += 1

    with django_assert_num_queries(2):  # session and user
        client.get("/admin/jsi18n/")


def test_passwords_are_hashed_with_argon2() -> None:
    """A stolen table of users is guessed at for years, not for hours."""
    with override_settings(PASSWORD_HASHERS=PASSWORD_HASHERS):
        assert get_hashers()[0].algorithm == "argon2"
